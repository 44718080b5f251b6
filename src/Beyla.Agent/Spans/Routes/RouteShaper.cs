using Beyla.Agent.Configuration;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Gives spans of HTTP servers their route: <c>http.route</c>, and the name <c>{method} {http.route}</c>; and those of clients, where their
/// rule has patterns, <c>url.template</c>, and the name with that (semantic conventions 1.44, HTTP spans, "Name"). A route that a
/// heuristic found is marked (<c>beyla.guess</c>): the conventions want that of the framework, which is not seen from outside. One thread;
/// allocates nothing for a route that is known.
/// </summary>
/// <param name="configuration">What was set.</param>
public sealed class RouteShaper(RoutesConfiguration configuration)
{
    private readonly RouteFinder finder = new(configuration);
    private readonly ServicePatterns services = new();
    private readonly byte[] name = new byte[2 * RouteFinder.MaximumLength];

    /// <summary>Whether some requests are not reported.</summary>
    public bool Ignores => configuration.IgnoredPatterns.Count > 0 && configuration.Ignored != IgnoredSignals.None;

    /// <summary>
    /// Adds the route to the values of the span, for all who get them after this; a span that has one keeps it.
    /// </summary>
    /// <returns>From what the span is left out.</returns>
    public IgnoredSignals Shape(in ExportedSpan exported)
    {
        ref readonly var span = ref exported.Span;
        if (SpanProtocols.Of(span.Protocol) != SpanProtocol.Http)
        {
            return IgnoredSignals.None;
        }

        var values = span.Values;
        var path = values.Text(SpanAttribute.UrlPath);
        var ignored = finder.Ignored(path);
        var isServer = span.Kind == SpanKind.Server;
        if (values.Has(isServer ? SpanAttribute.HttpRoute : SpanAttribute.UrlTemplate))
        {
            return ignored;
        }

        var isGuess = false;
        var route = services.Find(exported.Process, isServer, path);
        if (route.IsEmpty && isServer)
        {
            route = finder.Find(exported.Process, path, out isGuess);
        }

        if (!route.IsEmpty)
        {
            Add(values, isServer ? SpanAttribute.HttpRoute : SpanAttribute.UrlTemplate, route);
            if (isGuess)
            {
                values.Add(SpanAttribute.Guess, "route"u8);
            }
        }

        return ignored;
    }

    /// <summary>Adds a route, and puts it into the name.</summary>
    private void Add(SpanValues values, SpanAttribute attribute, ReadOnlySpan<byte> route)
    {
        route = route[..Math.Min(route.Length, RouteFinder.MaximumLength)];
        // Put together before the values change: both may lie among them.
        var method = values.Text(SpanAttribute.Name);
        method = method[..Math.Min(method.Length, name.Length - 1 - route.Length)];
        method.CopyTo(name);
        name[method.Length] = (byte)' ';
        route.CopyTo(name.AsSpan(method.Length + 1));
        var whole = name.AsSpan(0, method.Length + 1 + route.Length);
        values.Add(attribute, whole[(method.Length + 1)..]);
        values.Add(SpanAttribute.Name, whole);
    }
}
