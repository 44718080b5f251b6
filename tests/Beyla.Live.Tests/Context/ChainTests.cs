using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// Services in four languages on one host: each request is one trace from the first span to the last, each span below the one that led to
/// it. The truth is an id in the paths.
/// </summary>
public sealed class ChainTests
{
    /// <summary>Requests whose spans are looked at.</summary>
    private const int Count = 100;

    /// <summary>Requests before them: so many of a process are seen before a call may wait for what its thread does next.</summary>
    private const int Before = 20;

    /// <param name="way">How contexts travel; empty: they do not.</param>
    /// <param name="keepsConnections">Whether calls share connections.</param>
    /// <param name="hop">How a service knows which call a request comes from.</param>
    [ChainTheory]
    [InlineData("", true, "connection")]
    [InlineData("", false, "connection")]
    [InlineData("tcp", true, "option")]
    [InlineData("tcp", false, "option")]
    [InlineData("headers", false, "header")]
    [InlineData("all", true, "header|option")]
    [InlineData("all", false, "header")]
    public async Task Each_request_is_one_trace(string way, bool keepsConnections, string hop)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Backend backend = Backend.Start();
        ChainPlace place = new(group.Prefix);
        await using Chain chain = await Chain.StartAsync([place, place, place, place], keepsConnections, backend, place.Address);
        await using AgentProcess agent = await ChainAgent.StartAsync(way, chain.Ports);
        _ = await chain.SendAsync(Before);
        int first = await chain.SendAsync(Count);
        _ = await agent.WaitForRecordsAsync((Before + Count) * Chain.SpansOfEach, static _ => true);
        await agent.StopAsync();
        chain.Check(agent.Records, first, Count, ["", "thread", hop, "agreement", hop, "goroutine", hop, "thread"]);
    }
}
