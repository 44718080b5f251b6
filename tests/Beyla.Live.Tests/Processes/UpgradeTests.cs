using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>Programs that are replaced while they run, as packages do it: a new file takes the name of the old one.</summary>
public sealed class UpgradeTests
{
    /// <summary>
    /// nginx: SIGUSR2 starts the new program, which inherits the listening sockets and never calls listen(2); SIGQUIT ends the old one when
    /// its last request is done. Requests go on all the time, and none is missing.
    /// </summary>
    [LiveTheory("nginx", "gcc"), InlineData("port"), InlineData("executable")]
    public async Task nginx_is_upgraded_under_load(string by)
    {
        using OwnProgram program = new("nginx");
        using TempDirectory files = new();
        int port = FreePort.Next();
        string pid = Path.Combine(files.Path, "pid"), configuration = files.Write("nginx.conf", $$"""
            worker_processes 2;
            pid {{pid}};
            error_log {{files.Path}}/log crit;
            events { worker_connections 256; }
            http {
                access_log off;
                client_body_temp_path {{files.Path}}; proxy_temp_path {{files.Path}}; fastcgi_temp_path {{files.Path}};
                uwsgi_temp_path {{files.Path}}; scgi_temp_path {{files.Path}};
                server { listen 127.0.0.1:{{port}}; location / { return 200 "hello\n"; } }
            }
            """);
        string[] arguments = ["-p", files.Path, "-e", Path.Combine(files.Path, "log"), "-c", configuration];
        string client = await NativeProgram.BuildAsync("threads", "-pthread");
        await using AgentProcess agent = await AgentProcess.StartAsync(
            by == "port" ? AgentSettings.ForPorts(port) : AgentSettings.For("BEYLA_AUTO_TARGET_EXE", program.Glob));
        // A daemon: it is not the child of this process, and the new one is not the child of the old one for long.
        await Tool.RunAsync(program.Path, arguments);
        try
        {
            await AskAsync(500);
            int old = Pid(pid);
            Task load = AskAsync(6000);
            ReplacedFile.Put(program.Path);
            Signal(old, "USR2");
            Assert.True(await Wait.UntilAsync(
                () => File.Exists(pid + ".oldbin") && Pid(pid) is var now && now != 0 && now != old, Wait.Hang));
            Signal(old, "QUIT");
            await load;
            Assert.True(await Wait.UntilAsync(() => !Directory.Exists($"/proc/{old}"), Wait.Hang));
            await AskAsync(500);

            IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(7000);
            Assert.All(spans, span => Assert.Equal((program.Name, 200), (span.ServiceName, span.StatusCode)));
            Assert.InRange(spans.Select(static span => span.ProcessId).Distinct().Count(), 3, 4);
            await agent.StopAsync();
        }
        finally
        {
            if (Pid(pid) is > 0 and var left)
            {
                Signal(left, "TERM");
                await Wait.UntilAsync(() => !File.Exists(pid), Wait.Hang);
            }
        }

        Task AskAsync(int count) => Tool.RunAsync(client, "ask", Text(port), Text(count), "/hello", "4");
    }

    /// <summary>A Go program that is replaced by another build: other file, other offsets, other places of probes.</summary>
    [LiveFact("go", "gcc")]
    public async Task A_Go_program_is_replaced_by_another_build()
    {
        using TempDirectory files = new();
        string program = Path.Combine(files.Path, "shop");
        int leafPort = FreePort.Next(), port = FreePort.Next();
        File.Copy(await GoProgram.BuildAsync("nested"), program);
        await using TestServer leaf = await TestServer.StartAsync(
            leafPort, [await GoProgram.BuildAsync("nested"), Text(leafPort), "0", "leaf"]);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.For("BEYLA_AUTO_TARGET_EXE", "*/shop"));
        await using (TestServer first = await ServeAsync())
        {
            await RoundAsync(first, "first");
            ReplacedFile.Put(program, await GoProgram.BuildAsync("nested", "pie", "-buildmode=pie"));
            // The old one goes on: its file has no name any more.
            await RoundAsync(first, "old");
        }

        await using TestServer second = await ServeAsync();
        await RoundAsync(second, "second");
        await agent.StopAsync();

        Task<TestServer> ServeAsync() => TestServer.StartAsync(port, [program, Text(port), Text(leafPort), "direct"]);

        async Task RoundAsync(TestServer server, string name)
        {
            // The file of a Go program is read while its first requests are served: they may have no parents.
            for (int i = 0; !agent.Spans.Any(span => span is { Kind: SpanKind.Client, ParentSource: ParentSource.Goroutine }
                && span.ProcessId == server.Pid); i++)
            {
                Assert.True(i < 100, agent.Errors);
                await HttpRequests.SendAsync(port, 1, "/warm");
                await Task.Delay(100);
            }

            await HttpRequests.SendAsync(port, 200, "/" + name, connections: 8);
            IReadOnlyList<Span> calls = await agent.WaitForSpansAsync(200, span => span.Path == "/out/" + name);
            IReadOnlyList<Span> requests = await agent.WaitForSpansAsync(200, span => span.Path == "/" + name);
            Assert.All(requests, span => Assert.Equal((server.Pid, "shop", ProcessLanguage.Go),
                (span.ProcessId, span.ServiceName, span.Language)));
            Assert.Equal(requests.Select(static span => span.SpanId).Order(), calls.Select(static span => span.ParentId).Order());
        }
    }

    /// <summary>The process that a pid file names; 0 while there is none, for a daemon makes the file first and writes it then.</summary>
    private static int Pid(string file) =>
        File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out int pid) ? pid : 0;

    private static void Signal(int pid, string signal) => Tool.RunAsync("kill", $"-{signal}", Text(pid)).GetAwaiter().GetResult();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
