using System.Net;
using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// The chain over two hosts (network namespaces, joined by a veth pair), two services on each, with an agent that knows only these: the
/// spans of both agents together are one trace for each request.
/// </summary>
public sealed class ChainHostsTests
{
    private const int Count = 60;

    /// <param name="way">How contexts travel.</param>
    /// <param name="keepsConnections">Whether calls share connections.</param>
    /// <param name="hop">How a service knows which call a request comes from.</param>
    [ChainTheory("ip")]
    [InlineData("tcp", true, "option")]
    [InlineData("tcp", false, "option")]
    [InlineData("headers", false, "header")]
    [InlineData("all", true, "header|option")]
    [InlineData("all", false, "header")]
    public async Task Each_request_is_one_trace_of_both_agents(string way, bool keepsConnections, string hop)
    {
        await using NetworkNamespace near = await NetworkNamespace.CreateAsync();
        await using NetworkNamespace far = await NetworkNamespace.CreateAsync();
        (_, string farAddress) = await near.JoinAsync(far);
        await using TestCgroup nearGroup = TestCgroup.Create();
        await using TestCgroup farGroup = TestCgroup.Create();
        await using Backend backend = Backend.Start(IPAddress.Any);
        ChainPlace first = new([.. nearGroup.Prefix, .. near.Prefix], near.InsideAddress);
        ChainPlace last = new([.. farGroup.Prefix, .. far.Prefix], far.InsideAddress);
        ChainPlace third = last with { Listens = "0.0.0.0", Called = farAddress };
        await using Chain chain = await Chain.StartAsync([first, first, third, last], keepsConnections, backend, far.OutsideAddress);
        await using AgentProcess one = await ChainAgent.StartAsync(way, chain.Ports[..2]);
        await using AgentProcess other = await ChainAgent.StartAsync(way, chain.Ports[2..]);
        int id = await chain.SendAsync(Count);
        _ = await one.WaitForRecordsAsync(Count * Chain.SpansOfEach / 2, static _ => true);
        _ = await other.WaitForRecordsAsync(Count * Chain.SpansOfEach / 2, static _ => true);
        await one.StopAsync();
        await other.StopAsync();

        chain.Check(
            [.. one.Records, .. other.Records], id, Count,
            ["", "thread", hop, "agreement", hop, "goroutine", hop, "thread"]);
        Assert.All(one.Records, span => Assert.Contains(span.ServerPort, chain.Ports[..3]));
    }
}
