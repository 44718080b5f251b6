namespace Beyla.Agent.Configuration;

/// <summary>What may be in a list of patterns of paths.</summary>
internal static class RoutePattern
{
    private const int Maximum = 1000, Length = 1024;

    /// <summary>That, for a message.</summary>
    public static readonly string Expected =
        $"at most {Maximum} patterns are expected, each with a slash at the beginning, such as /users/:id";

    /// <summary>What is wrong with a list; null where nothing is.</summary>
    public static string? Check(IReadOnlyList<string> patterns) =>
        patterns.Count > Maximum || patterns.Any(static item => (!item.StartsWith('/') && item != "*") || item.Length > Length)
            ? Expected : null;
}
