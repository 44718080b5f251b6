namespace Beyla.Live.Tests.Rig;

/// <summary>
/// A test on the real kernel. Skipped, with the reason, where the tests do not run as root or a program that it needs is missing.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LiveFactAttribute : FactAttribute
{
    public LiveFactAttribute(params string[] needs)
    {
        Skip = LiveConditions.ReasonToSkip(needs);
        Timeout = LiveConditions.Limit;
    }
}

/// <summary><see cref="LiveFactAttribute"/> for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LiveTheoryAttribute : TheoryAttribute
{
    public LiveTheoryAttribute(params string[] needs)
    {
        Skip = LiveConditions.ReasonToSkip(needs);
        Timeout = LiveConditions.Limit;
    }
}

/// <summary>
/// What a test needs: a program (<c>redis-server</c>), a module of Debian's Python (<c>python3 psycopg2</c>) or a package of node
/// (<c>node ioredis</c>), or what build.sh puts into out/tools (<c>otlp-receiver</c>, <c>aspire</c>).
/// </summary>
internal static class LiveConditions
{
    /// <summary>Milliseconds after which a test that hangs is given up; far above what any needs.</summary>
    public const int Limit = 180_000;

    /// <summary>Why a live test cannot run here, or null.</summary>
    public static string? ReasonToSkip(IEnumerable<string> needs)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "live tests need Linux";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "live tests need root: sudo ./build.sh test";
        }

        if (!File.Exists("/sys/kernel/btf/vmlinux"))
        {
            return "this kernel has no BTF (/sys/kernel/btf/vmlinux)";
        }

        return needs.Select(ReasonAgainst).FirstOrDefault(reason => reason is not null);
    }

    private static string? ReasonAgainst(string need) => need.Split(' ') switch
    {
        ["python3", string module] => Directory.Exists($"/usr/lib/python3/dist-packages/{module}")
            ? ReasonAgainst("python3") : $"python3 has no module {module} (apt-get install python3-{module})",
        ["node", string package] => Directory.Exists(Path.Combine(Repository.NodeModules, package))
            ? ReasonAgainst("node") : $"node has no package {package} (./build.sh live installs it into out/node)",
        ["otlp-receiver"] => Directory.Exists(Path.Combine(Repository.Tools, "otlp-receiver", "node_modules"))
            ? ReasonAgainst("node") : "the OTLP receiver has no packages (./build.sh live installs them into out/tools)",
        ["aspire"] => File.Exists(Repository.Aspire)
            ? null : "the Aspire dashboard is missing (./build.sh live downloads it into out/tools)",
        _ => Tool.TryFind(need) is null ? Tool.Missing(need) : null,
    };
}
