namespace Beyla.Agent.Selection;

/// <summary>
/// Patterns of paths of one service (<c>discovery.instrument[].routes</c>); they go before those of <c>routes.patterns</c>. Immutable; told
/// apart by reference.
/// </summary>
/// <param name="Incoming">Of requests that it serves.</param>
/// <param name="Outgoing">Of requests that it makes.</param>
public sealed record ServiceRoutes(IReadOnlyList<string> Incoming, IReadOnlyList<string> Outgoing);
