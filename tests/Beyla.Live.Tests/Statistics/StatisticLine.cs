using System.Globalization;
using System.Net;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Statistics;

/// <summary>A line of stats.print_stats, read field by field.</summary>
internal sealed record StatisticLine(string Kind, string Role, IPEndPoint Local, IPEndPoint Remote)
{
    public string? Error { get; private init; }

    public long Sent { get; private init; }

    public long Received { get; private init; }

    public long Retransmits { get; private init; }

    public long RoundTrip { get; private init; }

    /// <summary>An agent that prints TCP statistics and does nothing else.</summary>
    public static AgentSettings Agent => new AgentSettings { ReadsAsText = true }.With("BEYLA_STATS_PRINT_STATS", "1");

    /// <summary>The lines of an agent so far, of all connections of the machine.</summary>
    public static IEnumerable<StatisticLine> Of(AgentProcess agent) =>
        agent.OutputLines.Where(line => line.StartsWith("tcp_statistics: ", StringComparison.Ordinal)).Select(Parse);

    /// <summary>Those of one end of a connection.</summary>
    public static StatisticLine[] Of(AgentProcess agent, EndPoint local, EndPoint remote) =>
        [.. Of(agent).Where(line => line.Local.Equals(local) && line.Remote.Equals(remote))];

    /// <summary>Waits for lines that the agent is going to write.</summary>
    public static async Task UntilAsync(AgentProcess agent, Func<bool> condition) =>
        Assert.True(
            await Wait.UntilAsync(() => agent.HasExited || condition(), Wait.Hang) && condition(),
            $"{string.Join('\n', agent.OutputLines.TakeLast(20))}\n{agent.Errors}");

    /// <summary>Waits until one end of a connection is told to be over.</summary>
    public static Task UntilClosedAsync(AgentProcess agent, EndPoint local, EndPoint remote) =>
        UntilAsync(agent, () => Of(agent, local, remote).Any(line => line.Kind == "closed"));

    private static StatisticLine Parse(string line)
    {
        Dictionary<string, string> fields = line.Split(' ').Skip(1).Select(field => field.Split('=', 2))
            .ToDictionary(field => field[0], field => field[1], StringComparer.Ordinal);
        return new(fields["kind"], fields["role"], End("local"), End("remote"))
        {
            Error = fields.GetValueOrDefault("error"), Sent = Number("sent"), Received = Number("received"),
            Retransmits = Number("retransmits"), RoundTrip = Number("rtt"),
        };

        IPEndPoint End(string side) => new(IPAddress.Parse(fields[side + ".address"]), (int)Number(side + ".port"));

        long Number(string name) => fields.TryGetValue(name, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
    }
}
