using System.Runtime.InteropServices;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Files that settings name and that only the caller may be able to read: certificates and their key. The keeper reads them once, at the
/// start, with the caller's rights alone; the worker, which may open none of them, gets their contents
/// (<see cref="AgentConfiguration.NamedFiles"/>).
/// </summary>
public static class NamedFiles
{
    /// <summary>Reads all of them; each is a regular file of at most 1 MiB.</summary>
    /// <param name="files">The key of each setting, as the user knows it, and its path as the user wrote it.</param>
    /// <returns>Their contents, in the same order.</returns>
    /// <exception cref="ConfigurationException">Some cannot be read; says of each why, by key, path and error.</exception>
    public static IReadOnlyList<string> Read(IReadOnlyList<(string Key, string Path)> files)
    {
        var contents = new List<string>();
        var problems = new List<string>();
        foreach (var (key, path) in files)
        {
            try
            {
                contents.Add(Read($"{key}: the file {LogText.Quote(path)}", path));
            }
            catch (ConfigurationException failure)
            {
                problems.AddRange(failure.Problems);
            }
        }

        return problems.Count == 0 ? contents : throw new ConfigurationException(problems);
    }

    private static string Read(string what, string path)
    {
        using var file = ConfigurationFile.OpenRegular(path, what, out var status);
        // No capability is effective here, but the program may have been started as another user than its caller (set-user-ID).
        return ConfigurationFile.MayCallerRead((int)file.DangerousGetHandle())
            ? ConfigurationFile.ReadText(file, what, status.Size)
            : throw new ConfigurationException($"{what} cannot be opened: {Errno.Describe(Marshal.GetLastPInvokeError())}");
    }
}
