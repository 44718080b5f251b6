using System.Globalization;

namespace Beyla.Agent.Capabilities;

/// <summary>What one thread of this process holds.</summary>
/// <param name="Thread">The thread's id.</param>
/// <param name="Name">The thread's name (comm), such as <c>.NET Finalizer</c>.</param>
/// <param name="Capabilities">Its sets.</param>
public readonly record struct ThreadPrivilege(int Thread, string Name, ProcessCapabilities Capabilities)
{
    /// <summary>Reads all threads of this process from <c>/proc/self/task</c>; threads that end meanwhile are left out.</summary>
    public static IReadOnlyList<ThreadPrivilege> ReadAll()
    {
        var threads = new List<ThreadPrivilege>();
        foreach (var directory in Directory.EnumerateDirectories("/proc/self/task"))
        {
            if (!int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var thread))
            {
                continue;
            }

            try
            {
                var name = File.ReadAllText(Path.Combine(directory, "comm")).TrimEnd('\n');
                threads.Add(new ThreadPrivilege(
                    thread, name, ProcessCapabilities.Parse(File.ReadAllText(Path.Combine(directory, "status")))));
            }
            catch (IOException)
            {
                // The thread ended between the listing and the reading.
            }
        }

        return threads;
    }
}
