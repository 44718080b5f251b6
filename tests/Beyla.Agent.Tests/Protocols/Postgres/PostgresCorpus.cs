using System.Runtime.CompilerServices;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>What one side of a connection sent at a time: '&gt;' the client, '&lt;' the server, '#' the connection is closed.</summary>
internal readonly record struct PostgresStep(char From, byte[] Data);

/// <summary>
/// A recording of a real client and a real server (folder Corpus), and the spans of the statements that the client was told to make. A line
/// is a comment, bytes of one side in hex, or a span: outcome|database|text without literals|SQLSTATE|error|rows.
/// </summary>
internal sealed record PostgresCase(string Name, PostgresStep[] Steps, string[] Spans)
{
    /// <summary>The recordings.</summary>
    public static IReadOnlyList<PostgresCase> All { get; } =
        [.. Directory.GetFiles(Path.Combine(Path.GetDirectoryName(Here())!, "Corpus")).Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>Those that are small enough to be cut at each index.</summary>
    public static IEnumerable<PostgresCase> Small => All.Where(c => c.Steps.Sum(s => s.Data.Length) < 4000);

    /// <summary>The recording of that name.</summary>
    public static PostgresCase Find(string name) => All.Single(c => c.Name == name);

    private static PostgresCase Read(string path)
    {
        var lines = File.ReadAllLines(path);
        return new PostgresCase(
            Path.GetFileNameWithoutExtension(path),
            [.. lines.Where(l => l[0] is '<' or '>').Select(l => new PostgresStep(l[0], Convert.FromHexString(l[2..])))],
            [.. lines.Where(l => l.StartsWith("= ", StringComparison.Ordinal)).Select(l => l[2..])]);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
