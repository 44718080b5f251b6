namespace Beyla.Agent.Selection;

/// <summary>What the value of an attribute must be. Immutable; <see cref="ValueTest"/> tells whether one is that.</summary>
/// <param name="Pattern">The text must fit it (<c>match</c>), or must not (<c>not_match</c>); null for any text.</param>
/// <param name="IsNegated">Whether it must not.</param>
/// <param name="Comparisons">All must hold of the number; of a text there are none.</param>
public sealed record ValueCondition(Glob? Pattern, bool IsNegated, IReadOnlyList<NumberComparison> Comparisons);
