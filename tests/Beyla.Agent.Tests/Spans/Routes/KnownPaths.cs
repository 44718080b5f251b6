namespace Beyla.Agent.Tests.Spans.Routes;

/// <summary>A real path and the route that the documentation of its API has for it; see paths.tsv.</summary>
/// <param name="IsTuned">The rules were made with a look at it; the others tell how good they are.</param>
/// <param name="Api">Whose it is.</param>
/// <param name="Path">The path.</param>
/// <param name="Route">The route, each segment with a variable as <c>*</c>.</param>
internal sealed record KnownPath(bool IsTuned, string Api, string Path, string Route)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<KnownPath> All { get; } = [.. Read()];

    private static IEnumerable<KnownPath> Read()
    {
        using var reader = new StreamReader(typeof(KnownPath).Assembly.GetManifestResourceStream("paths.tsv")!);
        var (tuned, api) = (false, "");
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('@'))
            {
                (tuned, api) = (line.StartsWith("@tuned", StringComparison.Ordinal), line[(line.IndexOf(' ') + 1)..]);
            }
            else if (line.StartsWith('/'))
            {
                var fields = line.Split('\t');
                var segments = fields[1].Split('/', StringSplitOptions.RemoveEmptyEntries);
                yield return new KnownPath(tuned, api, fields[0], "/" + string.Join('/', segments.Select(static segment =>
                    segment.Contains('{', StringComparison.Ordinal) || segment[0] == ':' ? "*" : segment)));
            }
        }
    }
}
