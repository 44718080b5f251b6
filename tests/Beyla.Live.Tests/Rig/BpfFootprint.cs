using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>The eBPF programs, maps and links that a process holds, by the ids that the kernel never gives twice.</summary>
internal sealed record BpfFootprint(IReadOnlySet<int> Programs, IReadOnlySet<int> Maps, IReadOnlySet<int> Links)
{
    public bool IsEmpty => Programs.Count + Maps.Count + Links.Count == 0;

    /// <summary>What a process holds now, read from /proc/PID/fdinfo.</summary>
    public static BpfFootprint Of(int pid)
    {
        HashSet<int> programs = [], maps = [], links = [];
        foreach (string file in Directory.EnumerateFiles($"/proc/{pid}/fdinfo"))
        {
            string text;
            try
            {
                text = File.ReadAllText(file);
            }
            catch (IOException)
            {
                continue; // closed in between
            }

            // A link names its program too: what decides is the first id of a file.
            foreach (string line in text.Split('\n'))
            {
                string[] pair = line.Split(':', 2, StringSplitOptions.TrimEntries);
                if (pair.Length == 2 && int.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                {
                    _ = pair[0] switch { "prog_id" => programs.Add(id), "map_id" => maps.Add(id), "link_id" => links.Add(id), _ => false };
                }
            }
        }

        return new BpfFootprint(programs, maps, links);
    }

    /// <summary>
    /// Which of these stay in the kernel, which frees them some time after the last user is gone: it is given three seconds.
    /// </summary>
    public async Task<BpfFootprint> LeftAsync()
    {
        long deadline = Environment.TickCount64 + 3000;
        while (true)
        {
            BpfFootprint left = new(await LeftAsync("prog", Programs), await LeftAsync("map", Maps), await LeftAsync("link", Links));
            if (left.IsEmpty || Environment.TickCount64 > deadline)
            {
                return left;
            }

            await Task.Delay(50);
        }
    }

    private static async Task<HashSet<int>> LeftAsync(string what, IReadOnlySet<int> ids)
    {
        string list = await Tool.RunAsync("bpftool", what, "list");
        HashSet<int> existing = [.. list.Split('\n')
            .Select(line => line.Split(':', 2)[0])
            .Where(id => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
        existing.IntersectWith(ids);
        return existing;
    }
}
