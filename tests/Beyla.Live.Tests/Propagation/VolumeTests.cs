using System.Globalization;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// A proxy that opens a connection for each request, at the greatest rate: none fails, and each has one header of its own.
/// </summary>
public sealed partial class VolumeTests
{
    private const int Connections = 50_000;

    [LiveTheory("nginx", "wrk", "unshare")]
    [InlineData("headers")]
    [InlineData("all")]
    public async Task Fifty_thousand_connections_are_served_and_each_is_told_its_own_context(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        using TempDirectory files = new();
        int port = FreePort.Next(), upstream = FreePort.Next();
        string log = Path.Combine(files.Path, "upstream.log"), errors = Path.Combine(files.Path, "error.log");
        string configuration = files.Write("nginx.conf", $$"""
            worker_processes 2; pid {{files.Path}}/pid; error_log {{errors}}; daemon off; user root; master_process on;
            events { worker_connections 4096; }
            http {
              log_format context '$http_traceparent'; access_log off;
              server { listen 127.0.0.1:{{port}} backlog=4096; location / { proxy_pass http://127.0.0.1:{{upstream}}; } }
              server { listen 127.0.0.1:{{upstream}} backlog=4096; access_log {{log}} context; location / { return 200 "hello"; } }
            }
            """);
        int sent = 0;
        await using (TestServer server = await TestServer.StartAsync(port, [.. group.Prefix, Tool.Find("nginx"), "-c", configuration]))
        await using (AgentProcess agent = await PassingAgent.StartAsync(
            AgentSettings.ForPorts(port, upstream).With("BEYLA_TRACE_PRINTER", "counter"), way))
        {
            while (sent < Connections)
            {
                string report = await Tool.RunAsync("wrk", "-t1", "-c32", "-d2s", $"http://127.0.0.1:{port}/");
                Assert.DoesNotContain("Socket errors", report, StringComparison.Ordinal);
                Assert.DoesNotContain("Non-2xx", report, StringComparison.Ordinal);
                int served = int.Parse(Requests().Match(report).Groups[1].Value, CultureInfo.InvariantCulture);
                Assert.True(served > 0, report);
                sent += served;
            }

            // It may have more events than it can take: what was sent counts here.
            agent.Signal(ChildProcess.SIGINT);
            Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));
        }

        string[] told = File.ReadAllLines(log);
        Assert.InRange(told.Length, sent, int.MaxValue);
        Assert.All(told, static one => Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", one));
        Assert.Equal(told.Length, told.Distinct().Count());
        Assert.Equal("", File.ReadAllText(errors));
    }

    [GeneratedRegex("([0-9]+) requests in", RegexOptions.CultureInvariant)]
    private static partial Regex Requests();
}
