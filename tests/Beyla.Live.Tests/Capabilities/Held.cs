namespace Beyla.Live.Tests.Capabilities;

/// <summary>What the threads of a process hold, read from /proc.</summary>
internal static class Held
{
    /// <summary>Asserts that no thread can do anything that its user cannot, without raising it first.</summary>
    public static async Task AssertNothingIsEffective(int pid)
    {
        // A look may fall into the microseconds in which one is raised; it does not do so five times.
        string? found = "";
        for (int look = 0; look < 5 && found is not null; look++)
        {
            if (look > 0)
            {
                await Task.Delay(20);
            }

            found = await FindEffective(pid);
        }

        Assert.Null(found);
    }

    private static async Task<string?> FindEffective(int pid)
    {
        int threads = 0;
        foreach (string task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            string status = await File.ReadAllTextAsync(Path.Combine(task, "status"));
            foreach (string set in (string[])["CapEff", "CapInh", "CapAmb"])
            {
                if (Read(status, set) != 0)
                {
                    return $"{set} of thread {Path.GetFileName(task)} ({Field(status, "Name")}): {Read(status, set):x}";
                }
            }

            Assert.Equal("1", Field(status, "NoNewPrivs"));
            threads++;
        }

        return threads > 1 ? null : "a runtime has more than one thread";
    }

    /// <summary>A set of every thread, where all agree.</summary>
    public static async Task<ulong> OfAllThreads(int pid, string set)
    {
        HashSet<ulong> seen = [];
        foreach (string task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            seen.Add(Read(await File.ReadAllTextAsync(Path.Combine(task, "status")), set));
        }

        return Assert.Single(seen);
    }

    private static ulong Read(string status, string set) => Convert.ToUInt64(Field(status, set), 16);

    private static string Field(string status, string name) =>
        status.Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();
}
