using System.Runtime.InteropServices;

namespace Beyla.Agent.Spans;

/// <summary>
/// Architectures as <c>host.arch</c> of the semantic conventions ("Host") names them; Go's names, which <c>target.arch</c> has, are the
/// same for the two that the agent is built for.
/// </summary>
internal static class ArchitectureName
{
    /// <summary>Of the host.</summary>
    public static string Host => Of(RuntimeInformation.OSArchitecture);

    /// <summary>For which the agent was built.</summary>
    public static string Agent => Of(RuntimeInformation.ProcessArchitecture);

    private static string Of(Architecture architecture) => architecture == Architecture.X64 ? "amd64" : "arm64";
}
