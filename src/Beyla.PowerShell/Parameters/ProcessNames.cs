using System.Management.Automation;
using System.Text;
using Beyla.PowerShell.Completion;

namespace Beyla.PowerShell.Parameters;

/// <summary>Compares the names of processes with what -Name gives.</summary>
internal static class ProcessNames
{
    // TASK_COMM_LEN of the kernel (include/linux/sched.h) less the zero at the end.
    private const int LongestCommand = 15;

    /// <summary>
    /// Whether a process has the name; wildcards count and case does not. A name that the kernel cut is compared whole too, as far
    /// as path and arguments tell it.
    /// </summary>
    internal static Func<HostProcess, bool> Fits(string name)
    {
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        return process => Candidates(process).Any(pattern.IsMatch);
    }

    /// <summary>The short name (/proc/PID/comm), and where that was cut the name of the file or of the program.</summary>
    internal static IEnumerable<string> Candidates(HostProcess process)
    {
        yield return process.Name;
        if (Encoding.UTF8.GetByteCount(process.Name) < LongestCommand)
        {
            yield break;
        }

        foreach (var path in (string[])[process.Executable, process.CommandLine.Split(' ')[0]])
        {
            var file = Path.GetFileName(path);
            if (file.Length > process.Name.Length && file.StartsWith(process.Name, StringComparison.Ordinal))
            {
                yield return file;
            }
        }
    }
}
