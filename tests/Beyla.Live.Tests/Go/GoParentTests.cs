using System.Globalization;
using Beyla.Live.Tests.Context;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Go;

/// <summary>
/// Which request a call of a Go program belongs to, by the whole agent. The truth is an id in the path. None is wrong; what the goroutine
/// can tell is found.
/// </summary>
public sealed class GoParentTests
{
    [LiveTheory("go", "gcc")]
    [InlineData(Nesting.Before, 32, false)]
    [InlineData(Nesting.Two, 32, false)]
    [InlineData(Nesting.After, 64, false)]
    [InlineData(Nesting.Plain, 16, true)]
    public async Task A_call_belongs_to_the_request_that_its_goroutine_has_read(Nesting nesting, int concurrency, bool traced)
    {
        Score score = await MeasureAsync("direct", new LoadCase(nesting, concurrency, Traced: traced, Requests: 1000));
        Assert.True(score is { Missing: 0, Broken: 0, ExactWrong: 0, ProbableWrong: 0 }, $"{score}\n{score.Examples}");
        Assert.True(score.ExactRight * 100 >= score.Calls * 99, score.ToString());
    }

    /// <summary>
    /// Go before 1.21, as Debian has it, does not keep which goroutine started another one: no parent is better than a wrong one.
    /// </summary>
    [LiveTheory("go", "gcc")]
    [InlineData(Nesting.Before, 32)]
    public async Task A_call_of_a_goroutine_that_the_handler_starts_has_its_request_or_none(Nesting nesting, int concurrency)
    {
        Score score = await MeasureAsync("child", new LoadCase(nesting, concurrency, Requests: 1000));
        Assert.True(score is { Missing: 0, Broken: 0, ExactWrong: 0, ProbableWrong: 0 }, $"{score}\n{score.Examples}");
    }

    private static async Task<Score> MeasureAsync(string mode, LoadCase load)
    {
        string binary = await GoProgram.BuildAsync("nested");
        await using Backend backend = Backend.Start();
        int port = FreePort.Next();
        await using TestServer server = await TestServer.StartAsync(port, [binary, Text(port), Text(backend.Port), mode]);
        int first = Requests.NextIds(load.Requests);
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForRules($"open_ports: {Text(port)}"));
        using CancellationTokenSource expired = new(TimeSpan.FromSeconds(50));
        await Requests.SendAsync(port, load, first, expired.Token);
        await Wait.UntilAsync(() => agent.Records.Count >= load.Requests + load.Calls, TimeSpan.FromSeconds(8));
        await agent.StopAsync();
        return Score.Of(agent.Records.ToLookup(static span => Requests.IdOf(span["url.path"])), first, load);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
