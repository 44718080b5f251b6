namespace Beyla.PowerShell.Agent;

/// <summary>
/// What of this kernel explains a failure of the agent. Asked only after the agent failed: the agent itself tries, and
/// does not infer from a version.
/// </summary>
public static class HostKernel
{
    /// <summary>The kernel's description of its own types, without which no program of the agent loads.</summary>
    public const string TypeInformation = "/sys/kernel/btf/vmlinux";

    private static readonly Version Lowest = new(5, 8);

    /// <summary>The release of the running kernel.</summary>
    public static Version Release => Environment.OSVersion.Version;

    /// <summary>What is lacking, as a sentence; null when nothing is.</summary>
    /// <param name="release">The release of the kernel.</param>
    /// <param name="typeInformation">Where its type information should be.</param>
    public static string? Lacks(Version release, string typeInformation) =>
        release < Lowest ? $"it is Linux {release.ToString(2)}, and capabilities of their own for eBPF came with {Lowest}."
        : !File.Exists(typeInformation) ? $"it has no type information ({typeInformation}; CONFIG_DEBUG_INFO_BTF)."
        : null;
}
