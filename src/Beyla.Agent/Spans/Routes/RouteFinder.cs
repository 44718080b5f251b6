using Beyla.Agent.Configuration;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// The routes of requests, as <c>routes.*</c> says: patterns first, then what <c>routes.unmatched</c> says of the others. What is learned
/// is kept per service. Does not allocate for a path whose route is known, and keeps no paths. One thread.
/// </summary>
/// <param name="configuration">What was set.</param>
public sealed class RouteFinder(RoutesConfiguration configuration)
{
    /// <summary>Bytes of a route at most: those of the attribute.</summary>
    public const int MaximumLength = 255;

    /// <summary>Services beyond share what is learned.</summary>
    private const int MaximumServices = 256;

    private readonly RoutePatterns patterns = new(configuration.Patterns);
    private readonly RoutePatterns ignored = new(configuration.IgnoredPatterns);
    private readonly Dictionary<(string Namespace, string Name), SegmentTree> trees = [];
    private readonly byte[] guess = new byte[MaximumLength], route = new byte[MaximumLength + 2];
    private (string Namespace, string Name) lastService;
    private SegmentTree? last, shared;

    /// <summary>From what a request of this path is left out.</summary>
    public IgnoredSignals Ignored(ReadOnlySpan<byte> path) =>
        !ignored.IsEmpty && !ignored.Find(path).IsEmpty ? configuration.Ignored : IgnoredSignals.None;

    /// <summary>The route of a path; empty where it has none. Valid until the next call.</summary>
    /// <param name="process">Whose request it is.</param>
    /// <param name="path">As on the wire; what does not begin with a slash has no route.</param>
    /// <param name="isGuess">Whether a heuristic found it.</param>
    public ReadOnlySpan<byte> Find(ProcessInfo process, ReadOnlySpan<byte> path, out bool isGuess)
    {
        isGuess = false;
        if (path.IsEmpty || path[0] != '/')
        {
            return default;
        }

        if (!patterns.IsEmpty && patterns.Find(path) is { IsEmpty: false } pattern)
        {
            return pattern;
        }

        switch (configuration.Unmatched)
        {
            case UnmatchedRoute.Unset:
                return default;
            case UnmatchedRoute.Path:
                return path;
            case UnmatchedRoute.Wildcard:
                return "/**"u8;
            default:
                isGuess = true;
                var guessed = guess.AsSpan(0, HeuristicRoute.Write(path, configuration.Wildcard, guess));
                return configuration.Unmatched == UnmatchedRoute.Heuristic || configuration.MaximumSegmentValues <= 0
                    ? guessed : route.AsSpan(0, TreeOf(process).Write(guessed, route));
        }
    }

    private SegmentTree TreeOf(ProcessInfo process)
    {
        var service = (process.ServiceNamespace, process.ServiceName);
        if (last is not null && lastService == service)
        {
            return last;
        }

        if (!trees.TryGetValue(service, out var tree))
        {
            if (trees.Count < MaximumServices)
            {
                trees.Add(service, tree = New());
            }
            else
            {
                tree = shared ??= New();
            }
        }

        (last, lastService) = (tree, service);
        return tree;
    }

    private SegmentTree New() => new(configuration.MaximumSegmentValues, configuration.Wildcard);
}
