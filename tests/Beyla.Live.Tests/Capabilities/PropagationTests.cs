using System.Text;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Propagation;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>
/// Each listed capability taken away from an ordinary user's agent that passes contexts on: what a service of root then really sends. Which
/// calls of the kernel fail with which errno is in <see cref="ProbeTests"/>.
/// </summary>
public sealed partial class PropagationTests
{
    private static readonly byte[] Get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();

    /// <param name="removed">Without it.</param>
    /// <param name="travels">Whether the next hop is told all the same.</param>
    /// <param name="warned">Whether its absence is warned of: without this one what is left is a set that somebody meant so.</param>
    [LiveTheory("python3", "setcap", "setpriv")]
    [InlineData("", true, false)]
    [InlineData("cap_net_admin", false, true)]
    [InlineData("cap_sys_ptrace", true, true)]
    [InlineData("cap_dac_read_search", true, true)]
    [InlineData("cap_net_raw", true, true)]
    [InlineData("cap_checkpoint_restore", true, false)]
    public async Task What_is_sent_without_a_capability(string removed, bool travels, bool warned)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(Without(removed));
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(Settings(sender.Port)));
        string said = travels ? "msg=\"Passing trace context on\"" : "msg=\"Trace context is not passed on\"";
        Assert.True(await Wait.UntilAsync(() => agent.Errors.Contains(said, StringComparison.Ordinal), Wait.Hang), agent.Errors);

        using Sink sink = new("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        Sender.Result result = await sender.RunAsync(new Sender.SendTask { Port = sink.Port, Parts = [Get] });
        Assert.Equal((40, "", 0), (result.Received, result.Error, result.Readable.Count));
        string arrived = Encoding.Latin1.GetString(await sink.Received);
        Assert.Equal(travels ? 1 : 0, Inserted().Count(arrived));
        Assert.Equal(Encoding.Latin1.GetString(Get), Inserted().Replace(arrived, ""));

        // The span of the call is there, and where the next hop is told of it, it is told of this one.
        Span call = Assert.Single(await agent.WaitForClientSpansAsync(1));
        Assert.Equal("/a", call.Path);
        Assert.True(!travels || arrived.Contains($"-{call.TraceId}-{call.SpanId}-", StringComparison.Ordinal), $"{arrived}\n{call}");
        await Held.AssertNothingIsEffective(agent.Pid);
        await agent.StopAsync();
        if (warned)
        {
            Warnings.AssertNamed(agent.Errors, removed.ToUpperInvariant());
        }
        else
        {
            Assert.DoesNotContain("system capabilities", agent.Errors, StringComparison.Ordinal);
        }

        if (!travels)
        {
            Assert.Contains("error=\"load eBPF object propagation: EPERM", agent.Errors, StringComparison.Ordinal);
        }
    }

    /// <summary>Where the kernel refuses to pass contexts on, parents are found as if nobody had asked for it.</summary>
    [LiveFact("python3", "setcap", "setpriv")]
    public async Task What_is_not_passed_on_is_found_by_both_ends_of_a_connection()
    {
        await using TestCgroup group = TestCgroup.Create();
        await using TestServer last = await Hops.StartBackendAsync(group);
        await using TestServer first = await Hops.StartScriptAsync(group, "python3", "relay.py", last.Port);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(Without("cap_net_admin"));
        AgentSettings settings = AgentSettings.ForPorts(first.Port, last.Port).With("BEYLA_BPF_CONTEXT_PROPAGATION", "all");
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(settings));
        const int count = 40;
        await HttpRequests.SendAsync(first.Port, count, "/x");
        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(3 * count, static _ => true);
        await agent.StopAsync();
        Assert.Contains("Trace context is not passed on", agent.Errors, StringComparison.Ordinal);
        Assert.Equal(count, spans.Count(static span => span.Kind == SpanKind.Client));
        Assert.All(spans.Where(span => span.Kind == SpanKind.Server && span.ServerPort == last.Port), request =>
        {
            Assert.Equal(ParentSource.Connection, request.ParentSource);
            Span call = Assert.Single(spans, span => span.Kind == SpanKind.Client && span.SpanId == request.ParentId);
            Assert.Equal(request.TraceId, call.TraceId);
        });
    }

    [LiveTheory("setcap", "setpriv")]
    [InlineData("cap_bpf")]
    [InlineData("cap_perfmon")]
    public async Task Without_one_for_all_programs_nothing_starts(string removed)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(Without(removed));
        await using AgentProcess agent = AgentProcess.Launch(user.Run(Settings(FreePort.Next())));
        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 1, $"exit code {status}:\n{agent.Errors}");
        Warnings.AssertNamed(agent.Errors, removed.ToUpperInvariant());
        Assert.Contains("load eBPF object watcher: EPERM", agent.Errors, StringComparison.Ordinal);
    }

    private static string Without(string removed) => ScenarioCase.Without(ScenarioCase.Find("application-propagation").Listed, removed);

    private static AgentSettings Settings(int port) => AgentSettings.ForPorts(port).With("BEYLA_BPF_CONTEXT_PROPAGATION", "all");

    [GeneratedRegex("Traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n", RegexOptions.CultureInvariant)]
    private static partial Regex Inserted();
}
