using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>One line of <c>filter.application</c> or <c>filter.network</c>: what an attribute of a span or flow must be.</summary>
/// <param name="Attribute">One of <see cref="FilterAttribute"/>.</param>
/// <param name="Condition">What it must be.</param>
public sealed record AttributeCondition(FilterAttribute Attribute, ValueCondition Condition);
