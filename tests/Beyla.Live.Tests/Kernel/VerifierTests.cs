using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Kernel;

/// <summary>
/// How many instructions the kernel's verifier walks for a program, which is most of the time that a start takes. A loop with branches in
/// it can make ten times as many of a few lines.
/// </summary>
public sealed class VerifierTests
{
    /// <summary>Twice what the largest program takes; the kernel's own limit is a million (BPF_COMPLEXITY_LIMIT_INSNS).</summary>
    private const long Most = 120_000;

    [LiveTheory, SocketSources]
    public Task No_program_is_long_to_verify(string source) => CheckAsync(AgentSettings.ForPorts(FreePort.Next()).WithSource(source));

    [LiveFact]
    public Task No_program_is_that_passes_contexts_on() =>
        CheckAsync(AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_BPF_CONTEXT_PROPAGATION", "all"));

    private static async Task CheckAsync(AgentSettings settings)
    {
        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        long[] walked = [.. Directory.GetFiles($"/proc/{agent.Pid}/fdinfo").SelectMany(File.ReadAllLines)
            .Where(static line => line.StartsWith("verified_insns:", StringComparison.Ordinal))
            .Select(static line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture))];
        Assert.True(walked.Length > 5, $"{walked.Length} programs");
        Assert.InRange(walked.Max(), 1, Most);
        await agent.StopAsync();
    }
}
