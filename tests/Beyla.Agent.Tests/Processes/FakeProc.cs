using System.Globalization;
using System.Text;

namespace Beyla.Agent.Tests.Processes;

/// <summary>A directory that looks like /proc.</summary>
internal sealed class FakeProc : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("beyla-proc-");

    public string Root => directory.FullName;

    public string this[int pid, string file] => Path.Combine(Root, pid.ToString(CultureInfo.InvariantCulture), file);

    /// <summary>Starts a process, or replaces it.</summary>
    public FakeProc Add(
        int pid, string executable = "/srv/app", string[]? environment = null, string[]? arguments = null, string maps = "", int parent = 1,
        long start = 1000, string command = "app", char state = 'S', int flags = 0)
    {
        Remove(pid);
        Directory.CreateDirectory(this[pid, ""]);
        File.WriteAllText(this[pid, "stat"], string.Create(CultureInfo.InvariantCulture,
            $"{pid} ({command}) {state} {parent} 1 1 0 -1 {flags} 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0 18446744073709551615\n"));
        File.WriteAllText(this[pid, "comm"], command + "\n");
        File.WriteAllText(this[pid, "maps"], maps);
        File.WriteAllBytes(this[pid, "environ"], Joined(environment ?? []));
        File.WriteAllBytes(this[pid, "cmdline"], Joined(arguments ?? [executable]));
        if (executable.Length > 0)
        {
            File.CreateSymbolicLink(this[pid, "exe"], executable);
        }

        return this;
    }

    public void Remove(int pid)
    {
        if (Directory.Exists(this[pid, ""]))
        {
            Directory.Delete(this[pid, ""], true);
        }
    }

    public void Dispose() => directory.Delete(true);

    private static byte[] Joined(string[] texts) => Encoding.UTF8.GetBytes(string.Concat(texts.Select(static text => text + "\0")));
}
