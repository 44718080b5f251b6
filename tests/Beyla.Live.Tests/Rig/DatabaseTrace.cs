using System.Globalization;
using Beyla.Live.Tests.Clients;

namespace Beyla.Live.Tests.Rig;

/// <summary>Spans of one sort that a test expects, on each side of the connection.</summary>
/// <param name="Text">db.query.text.</param>
/// <param name="Count">How many.</param>
/// <param name="Status">db.response.status_code; empty without an error.</param>
/// <param name="Error">error.type where it is something else than the status.</param>
/// <param name="Outcome">How each ended.</param>
internal readonly record struct Expected(
    string Text, int Count = 1, string Status = "", string? Error = null, string Outcome = "complete");

/// <summary>An agent that traces a database server by its port, and its client.</summary>
internal static class DatabaseTrace
{
    /// <summary>Starts an agent that traces what listens on a port, and what more rules select.</summary>
    public static Task<AgentProcess> StartAsync(string source, int port, params string[] rules) =>
        AgentProcess.StartAsync(AgentSettings.ForRules([Port(port), .. rules]).WithSource(source));

    /// <summary>Starts an agent that traces a server and a client.</summary>
    public static Task<AgentProcess> StartAsync(string source, int port, StepClient client) => StartAsync(source, port, client.Rule);

    /// <summary>The rule for what listens on a port.</summary>
    public static string Port(int port) => string.Create(CultureInfo.InvariantCulture, $"open_ports: \"{port}\"");

    /// <summary>
    /// Asserts that exactly the spans that are expected have come, from the server and from the client, and that each of the client is one
    /// of the server: the same connection seen from the other end.
    /// </summary>
    public static async Task<IReadOnlyList<SpanRecord>> AssertBothSidesAsync(
        AgentProcess agent, string protocol, int port, params Expected[] expected)
    {
        int count = expected.Sum(sort => sort.Count);
        IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(2 * count, span => span.Protocol == protocol);
        foreach (string kind in new[] { "server", "client" })
        {
            AssertSame(expected, spans.Where(span => span.Kind == kind));
        }

        Assert.All(spans, span => Assert.Equal(port, span.ServerPort));
        Assert.Equal(Ends(spans, "server"), Ends(spans, "client"));
        return spans;
    }

    /// <summary>Asserts that there are exactly the spans that are expected.</summary>
    public static void AssertSame(IEnumerable<Expected> expected, IEnumerable<SpanRecord> spans)
    {
        string[] wanted = [.. expected
            .Select(sort => $"{sort.Count} x '{sort.Text}' {sort.Status} {sort.Error ?? sort.Status} {sort.Outcome}").Order()];
        string[] seen = [.. spans.GroupBy(span => $"x '{span.Query}' {span.Status} {span.ErrorType} {span.Outcome}")
            .Select(group => $"{group.Count()} {group.Key}").Order()];
        Assert.Equal(wanted, seen);
    }

    private static IEnumerable<(int Port, int Count)> Ends(IEnumerable<SpanRecord> spans, string kind) => spans
        .Where(span => span.Kind == kind).GroupBy(span => span.ClientPort).Select(group => (group.Key, group.Count())).Order();
}
