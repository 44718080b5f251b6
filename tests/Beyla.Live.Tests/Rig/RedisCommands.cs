using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Rig;

/// <summary>Compares spans with the statistics that Redis keeps of its commands.</summary>
internal static class RedisCommands
{
    /// <summary>
    /// Asserts that there are as many spans of each command as the server counts. It does not count what it does not know, as the
    /// <c>CLIENT SETINFO</c> of newer clients is for Redis 7.0, and <c>SENTINEL</c> for an ordinary server; <c>info</c> is asked for by
    /// the tests themselves, behind the agent.
    /// </summary>
    public static async Task AssertSameAsync(RedisServer server, IEnumerable<SpanRecord> spans)
    {
        IReadOnlyDictionary<string, int> truth = await server.CommandsAsync();
        string[] wanted = [.. truth.Where(command => command.Key != "info" && command.Value > 0)
            .GroupBy(command => Command(command.Key)).Select(group => $"{group.Key} {group.Sum(command => command.Value)}").Order()];
        string[] seen = [.. spans.Where(span => !IsUnknown(span))
            .GroupBy(span => Command(span.Operation))
            .Where(group => group.Key != "info").Select(group => $"{group.Key} {group.Count()}").Order()];
        Assert.Equal(wanted, seen);
    }

    /// <summary>Whether a command is one that clients try and this server does not have.</summary>
    public static bool IsUnknown(SpanRecord span) =>
        Command(span.Operation) is "nosuchcommand" or "sentinel" || span.Operation == "CLIENT SETINFO"
        || span.Query.StartsWith("CLIENT SETINFO", StringComparison.OrdinalIgnoreCase);

    // The statistics have sub-commands behind a bar, spans may have them behind a blank; the command is what both agree on.
    private static string Command(string name) => name.ToLowerInvariant().Split('|', ' ')[0];
}
