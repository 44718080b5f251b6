using Beyla.Agent.Processes;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// The patterns that rules have for their services. Allocates nothing for a service that was seen. One thread.
/// </summary>
internal sealed class ServicePatterns
{
    // As many as there are rules.
    private readonly Dictionary<ServiceRoutes, (RoutePatterns Incoming, RoutePatterns Outgoing)> known =
        new(ReferenceEqualityComparer.Instance);

    /// <summary>The pattern that a path fits, as it was written; empty where the service has none.</summary>
    /// <param name="process">Whose request it is.</param>
    /// <param name="isServer">Whether the process serves it.</param>
    /// <param name="path">As on the wire.</param>
    public ReadOnlySpan<byte> Find(ProcessInfo process, bool isServer, ReadOnlySpan<byte> path)
    {
        if (process.Routes is not { } routes || path.IsEmpty || path[0] != '/')
        {
            return default;
        }

        if (!known.TryGetValue(routes, out var patterns))
        {
            known.Add(routes, patterns = (new RoutePatterns(routes.Incoming), new RoutePatterns(routes.Outgoing)));
        }

        return (isServer ? patterns.Incoming : patterns.Outgoing).Find(path);
    }
}
