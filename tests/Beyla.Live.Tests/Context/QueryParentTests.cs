using System.Globalization;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// Which request a command or a statement belongs to. The truth is an id in the path of the request, in the key and in the
/// name of a column.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed partial class QueryParentTests(PostgresServer postgres)
{
    [LiveTheory("python3", "python3 psycopg2", "redis-server", "postgres")]
    [InlineData(16, 500)]
    public async Task Of_a_thread_that_asks_two_databases(int concurrency, int requests)
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using TestServer server = await ServerKinds.ScriptAsync(
            "nested_query.py", postgres.Port.ToString(CultureInfo.InvariantCulture), redis.Port.ToString(CultureInfo.InvariantCulture));
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForRules(DatabaseTrace.Port(server.Port)));
        LoadCase load = new(Nesting.Plain, concurrency, Requests: requests);
        int first = Requests.NextIds(requests);
        using CancellationTokenSource expired = new(Wait.Hang);
        await Requests.SendAsync(server.Port, load, first, expired.Token);

        await Wait.UntilAsync(() => Whole(agent.Records).Length >= 3 * requests, TimeSpan.FromSeconds(8));
        await agent.StopAsync();
        SpanRecord[] spans = Whole(agent.Records);
        foreach (string protocol in new[] { "redis", "postgresql" })
        {
            Score score = Score.Of(
                spans.Where(span => span.Kind == "server" || span.Protocol == protocol).ToLookup(IdOf), first, load);
            Assert.True(
                (score.Missing, score.Broken, score.ExactWrong, score.Probable) == (0, 0, 0, 0) && score.ExactRight * 100 >= requests * 99,
                $"{protocol}: {score}\n{score.Examples}");
        }
    }

    // psycopg2 asks for the format of dates when it connects: a statement without an id.
    private static SpanRecord[] Whole(IEnumerable<SpanRecord> spans) => [.. spans.Where(span => IdOf(span) != 0)];

    private static int IdOf(SpanRecord span) => span.Protocol == "http"
        ? Requests.IdOf(span["url.path"])
        : Id().Match(span.Query) is { Success: true } found ? int.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"\bin[:_](\d+)")]
    private static partial Regex Id();
}
