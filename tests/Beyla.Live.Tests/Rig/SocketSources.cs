using System.Reflection;
using Xunit.Sdk;

namespace Beyla.Live.Tests.Rig;

/// <summary>Runs a theory once for each way in which this kernel lets sockets be seen.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SocketSourcesAttribute : DataAttribute
{
    // Found once: whether fentry works is policy of the kernel, which only an attempt can tell.
    private static readonly Lazy<string[]> Sources = new(Probe);

    /// <summary>The sources that work here.</summary>
    public static IReadOnlyList<string> Names => Sources.Value;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => Sources.Value.Select(source => new object[] { source });

    private static string[] Probe()
    {
        if (LiveConditions.ReasonToSkip([]) is not null || !File.Exists(Repository.Agent))
        {
            return ["syscalls"];
        }

        List<string> sources = ["syscalls"];
        // The type that a tracepoint has in BTF. Where it is, the source has to work.
        if (File.ReadAllBytes("/sys/kernel/btf/vmlinux").AsSpan().IndexOf("btf_trace_tcp_sendmsg_locked\0"u8) >= 0)
        {
            sources.Insert(0, "tracepoints");
        }

        if (Works("fentry"))
        {
            sources.Insert(0, "fentry");
        }

        return [.. sources];
    }

    private static bool Works(string source)
    {
        try
        {
            return Task.Run(async () =>
            {
                await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(FreePort.Next()).WithSource(source));
                return true;
            }).GetAwaiter().GetResult();
        }
        catch (XunitException)
        {
            return false;
        }
    }
}
