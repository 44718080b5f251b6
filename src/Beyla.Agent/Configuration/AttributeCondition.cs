using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>
/// One line of <c>filter.application</c> or its like: what an attribute of a span, flow or record of TCP statistics must be.
/// </summary>
/// <param name="Attribute">One of <see cref="FilterAttribute"/>.</param>
/// <param name="Condition">What it must be.</param>
public sealed record AttributeCondition(FilterAttribute Attribute, ValueCondition Condition);
