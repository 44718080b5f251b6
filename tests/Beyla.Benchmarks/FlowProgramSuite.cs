using System.Globalization;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;

namespace Beyla.Benchmarks;

/// <summary>What the flow programs cost per packet of one hot flow, in test runs by the kernel: a lower bound, as nothing is cold.</summary>
internal static class FlowProgramSuite
{
    private const int Repeat = 1_000_000, Rounds = 9;

    private static readonly (string Program, FlowSource Source)[] Ways =
        [("flow_socket", FlowSource.SocketFilter), ("flow_ingress", FlowSource.Tc), ("flow_egress", FlowSource.Tc)];

    public static string Run(BenchmarkOptions options)
    {
        var text = new StringBuilder()
            .AppendLine("## Flow programs")
            .AppendLine()
            .AppendLine("Time per packet of one hot flow in test runs (BPF_PROG_TEST_RUN), with CAP_PERFMON; lowest and median of 9 rounds of 1,000,000.")
            .AppendLine()
            .AppendLine("| program | packet | lowest ns | median ns |")
            .AppendLine("|---|---|---|---|");
        foreach (var (program, source) in Ways)
        {
            using var programs = FlowPrograms.Load(new NetworkConfiguration { Source = source });
            Row(text, programs, program, "IPv4 UDP, 64 bytes", Frame(17, 30));
            Row(text, programs, program, "IPv4 TCP, 1514 bytes", Frame(6, 1480));
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, FlowPrograms programs, string program, string packet, byte[] frame)
    {
        var samples = new uint[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            ProgramTest.Run(programs.Program(program), frame, default, Repeat, out samples[i]);
        }

        Array.Sort(samples);
        text.AppendLine(CultureInfo.InvariantCulture, $"| {program} | {packet} | {samples[0]} | {samples[Rounds / 2]} |");
    }

    private static byte[] Frame(byte protocol, int payload)
    {
        var frame = new byte[34 + payload];
        byte[] head = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, (byte)((20 + payload) >> 8), (byte)(20 + payload), 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 1, 0xbb];
        head.CopyTo(frame, 0);
        frame[46] = 0x50;
        frame[47] = 0x10;
        return frame;
    }
}
