using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Http;

/// <summary>
/// Every way in which Linux moves the bytes of a socket (tests/native/ways.c): which sources see a request that goes this way is what
/// the table in docs/http.md says, and both ends are looked at. Nothing is invented, and what is seen is seen whole.
/// </summary>
public sealed class WaysTests
{
    private const int Requests = 3;

    private static readonly string[] Reading =
        ["read", "recv", "waitall", "readv", "preadv2", "recvmsg", "recvmmsg", "peek", "peek-trunc"];

    private static readonly string[] ReadingByRing =
        ["u-recv", "u-read", "u-readv", "u-recvmsg", "u-fixed", "u-multishot", "sq-u-recv", "sq-u-multishot", "wq-u-recv"];

    private static readonly string[] ReadingUncopied = ["splice", "tee", "u-splice"];

    private static readonly string[] Sending = ["send", "writev", "pwritev2", "sendmsg", "sendmmsg", "zerocopy", "stamped"];

    private static readonly string[] SendingByRing =
        ["u-send", "u-write", "u-writev", "u-sendmsg", "u-zc", "u-sendmsg-zc", "sq-u-send", "wq-u-send"];

    private static readonly string[] SendingUncopied = ["sendfile", "splice", "vmsplice", "tee", "u-splice", "u-fixed", "u-zc-fixed"];

    /// <summary>Requests and responses are read in this way.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task What_is_read(string source)
    {
        await using Exchanges exchanges = await Exchanges.StartAsync(source);
        foreach (string way in Reading.Concat(ReadingByRing).Concat(ReadingUncopied))
        {
            await exchanges.RunAsync(way, "write");
        }

        bool seesRings = source != "syscalls";
        foreach (string way in Reading.Concat(seesRings ? ReadingByRing : []))
        {
            await exchanges.AssertSeenAsync(way, "write", servers: Requests, clients: Requests, status: 200);
        }

        // A request that nothing showed is no span; a response that nothing showed leaves one without status.
        foreach (string way in ReadingUncopied.Concat(seesRings ? [] : ReadingByRing))
        {
            await exchanges.AssertSeenAsync(way, "write", servers: 0, clients: Requests, status: 0);
        }

        await exchanges.StopAsync();
    }

    /// <summary>Requests and responses are sent in this way.</summary>
    [LiveTheory("gcc"), SocketSources]
    public async Task What_is_sent(string source)
    {
        await using Exchanges exchanges = await Exchanges.StartAsync(source);
        foreach (string way in Sending.Concat(SendingByRing).Concat(SendingUncopied))
        {
            await exchanges.RunAsync("read", way);
        }

        bool seesRings = source != "syscalls";
        foreach (string way in Sending.Concat(seesRings ? SendingByRing : []))
        {
            await exchanges.AssertSeenAsync("read", way, servers: Requests, clients: Requests, status: 200);
        }

        foreach (string way in SendingUncopied.Concat(seesRings ? [] : SendingByRing))
        {
            await exchanges.AssertSeenAsync("read", way, servers: Requests, clients: 0, status: 0);
        }

        await exchanges.StopAsync();
    }

    /// <summary>An agent that traces both ends of the exchanges.</summary>
    private sealed class Exchanges : IAsyncDisposable
    {
        private readonly AgentProcess agent;
        private readonly string program;

        private Exchanges(AgentProcess agent, string program) => (this.agent, this.program) = (agent, program);

        public static async Task<Exchanges> StartAsync(string source)
        {
            string program = await NativeProgram.BuildAsync("ways", "-luring");
            AgentSettings settings = AgentSettings.For("BEYLA_AUTO_TARGET_EXE", program).WithSource(source);
            return new Exchanges(await AgentProcess.StartAsync(settings), program);
        }

        public async Task RunAsync(string input, string output)
        {
            int port = FreePort.Next();
            string number = port.ToString(CultureInfo.InvariantCulture);
            await using TestServer server = await TestServer.StartAsync(
                port, [this.program, "serve", number, input, output], address: null);
            await using ClientProcess client = await ClientProcess.WaysAsync(port, Requests, Path(input, output), input, output);
            await this.agent.WaitUntilTracedAsync(server.Pid);
            await this.agent.WaitUntilTracedAsync(client.Pid);
            await client.SendAsync();
            // What is not seen is told when the connection ends, and that the server has it is said by the server.
            Assert.True(await Wait.UntilAsync(
                () => server.Process.OutputLines.Contains($"served {Requests}"), Wait.Hang), server.Process.Errors);
        }

        public async Task AssertSeenAsync(string input, string output, int servers, int clients, int status)
        {
            string path = Path(input, output);
            IReadOnlyList<Span> spans = await this.agent.WaitForSpansAsync(servers + clients, span => span.Path == path);
            Assert.Equal(
                (path, servers, clients),
                (path, spans.Count(span => span.Kind == SpanKind.Server), spans.Count(span => span.Kind == SpanKind.Client)));
            Assert.All(spans, span => Assert.Equal((path, status), (path, span.StatusCode)));
            Assert.All(spans, span => Assert.Equal((path, status == 200), (path, span.Outcome == SpanOutcome.Complete)));
        }

        public async Task StopAsync()
        {
            Assert.All(this.agent.Spans, span => Assert.StartsWith("/ways/", span.Path, StringComparison.Ordinal));
            await this.agent.StopAsync();
        }

        public ValueTask DisposeAsync() => this.agent.DisposeAsync();

        private static string Path(string input, string output) => $"/ways/{input}/{output}";
    }
}
