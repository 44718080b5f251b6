using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>Processes that a process started.</summary>
internal static class ChildProcessIds
{
    /// <summary>The children of a process now.</summary>
    public static int[] Of(int pid) =>
        [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
}
