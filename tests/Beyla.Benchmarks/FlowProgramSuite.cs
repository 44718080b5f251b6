using System.Globalization;
using System.Text;
using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Tests.Common;

namespace Beyla.Benchmarks;

/// <summary>
/// What the flow programs cost per packet of one hot flow, in test runs by the kernel: a lower bound, as nothing is cold.
/// </summary>
internal static class FlowProgramSuite
{
    private const int Repeat = 1_000_000, Rounds = 9;

    private static readonly (string Program, FlowSource Source)[] Ways =
        [("flow_socket", FlowSource.SocketFilter), ("flow_ingress", FlowSource.TrafficControl), ("flow_egress", FlowSource.TrafficControl)];

    public static string Run(BenchmarkOptions options)
    {
        var text = new StringBuilder()
            .AppendLine("## Flow programs")
            .AppendLine()
            .AppendLine(
                "Time per packet of one hot flow in test runs (BPF_PROG_TEST_RUN): lowest and median of 9 rounds of 1,000,000. "
                    + "Without CAP_PERFMON the")
            .AppendLine(
                "verifier adds barriers against speculative execution to a program. Budget: below 129 ns for tc, below 172 ns for the "
                    + "socket filter.")
            .AppendLine()
            .AppendLine("| program | packet | loaded with | lowest ns | median ns |")
            .AppendLine("|---|---|---|---|---|");
        foreach (var (program, source) in Ways)
        {
            foreach (var perfmon in (bool[])[true, false])
            {
                using var programs = Load(source, perfmon);
                var with = perfmon ? "CAP_PERFMON" : "the listed set without it";
                Row(text, programs, program, "IPv4 UDP, 64 bytes", with, Frame(17, 30));
                Row(text, programs, program, "IPv4 TCP, 1514 bytes", with, Frame(6, 1480));
                Row(text, programs, program, "IPv6 UDP, 84 bytes", with, Frame6(30));
            }
        }

        return text.ToString();
    }

    /// <summary>The verifier looks at what this thread may do at the moment of the load.</summary>
    private static FlowPrograms Load(FlowSource source, bool perfmon)
    {
        _ = CapabilityCalls.Get(out var effective, out var permitted, out var inheritable);
        try
        {
            if (!perfmon)
            {
                _ = CapabilityCalls.Set(
                    effective.Except(CapabilitySet.Of(Capability.Perfmon, Capability.SysAdmin)), permitted, inheritable);
            }

            return FlowPrograms.Load(new NetworkConfiguration { Source = source });
        }
        finally
        {
            _ = CapabilityCalls.Set(effective, permitted, inheritable);
        }
    }

    private static void Row(StringBuilder text, FlowPrograms programs, string program, string packet, string with, byte[] frame)
    {
        var samples = new uint[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            ProgramTest.Run(programs.Program(program), frame, default, Repeat, out samples[i]);
        }

        Array.Sort(samples);
        text.AppendLine(CultureInfo.InvariantCulture, $"| {program} | {packet} | {with} | {samples[0]} | {samples[Rounds / 2]} |");
    }

    private static byte[] Frame(byte protocol, int payload)
    {
        var frame = new byte[34 + payload];
        byte[] head = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, (byte)((20 + payload) >> 8), (byte)(20 + payload), 0, 1, 0, 0, 64,
            protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 1, 0xbb];
        head.CopyTo(frame, 0);
        frame[46] = 0x50;
        frame[47] = 0x10;
        return frame;
    }

    private static byte[] Frame6(int payload)
    {
        var frame = new byte[54 + payload];
        byte[] head = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, (byte)payload, 17, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0];
        head.CopyTo(frame, 0);
        (frame[37], frame[38], frame[53]) = (1, 0xfd, 2);
        return frame;
    }
}
