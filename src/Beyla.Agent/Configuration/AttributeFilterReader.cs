using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Reads <c>filter.application</c> and <c>filter.network</c>: a mapping of attributes, each to <c>{match: GLOB}</c>,
/// <c>{not_match: GLOB}</c>, or of numbers also to comparisons such as <c>{greater_equals: 500}</c> (Grafana Beyla, "Filter metrics and
/// traces by attribute values"; OpenTelemetry eBPF Instrumentation 0.6 for the comparisons).
/// </summary>
/// <param name="known">The attributes that there are.</param>
/// <param name="origin">Where it is, for messages.</param>
/// <param name="problems">Gets what is wrong.</param>
internal sealed class AttributeFilterReader(IReadOnlyList<FilterAttribute> known, string origin, MessageList problems)
{
    private const int MaximumAttributes = 100;

    private const string Expected = "a mapping of attributes is expected, such as {http.route: {not_match: \"/health*\"}}";

    /// <summary>Reads the setting.</summary>
    /// <returns>All must be met; empty where it is not set, or wrong.</returns>
    public IReadOnlyList<AttributeCondition> Read(Setting setting)
    {
        var conditions = new List<AttributeCondition>();
        foreach (var (key, value) in MappingSetting.Entries(setting, Expected, MaximumAttributes, problems))
        {
            var path = $"{setting.Key.Path}.{key.Text}";
            if (known.FirstOrDefault(attribute => attribute.IsCalled(key.Text ?? "")) is not { } attribute)
            {
                var nearest = NearestName.Find(key.Text ?? "", known.Select(static one => one.Name));
                Problem(key, path, "there is no such attribute to filter by" + (nearest is null
                    ? $"; there are {string.Join(", ", known.Select(static one => one.Name))}" : $"; did you mean {nearest}?"));
            }
            else if (Condition(attribute, value, path) is { } condition)
            {
                conditions.Add(new AttributeCondition(attribute, condition));
            }
        }

        return conditions;
    }

    private ValueCondition? Condition(FilterAttribute attribute, ConfigurationNode value, string path)
    {
        if (value.Kind != ConfigurationNodeKind.Mapping || value.Entries.Count == 0)
        {
            Problem(value, path, "a mapping with match or not_match is expected"
                + (attribute.IsNumber ? ", or with a comparison such as greater_equals" : ""));
            return null;
        }

        Glob? pattern = null;
        var (isRight, isNegated) = (true, false);
        var comparisons = new List<NumberComparison>();
        foreach (var (field, operand) in value.Entries)
        {
            var name = field.Text ?? "";
            if (name is "match" or "not_match")
            {
                if (pattern is not null)
                {
                    Problem(field, path, "match and not_match exclude each other");
                    isRight = false;
                }

                pattern = Pattern(attribute, operand, $"{path}.{name}");
                isNegated = name == "not_match";
                isRight &= pattern is not null;
            }
            else if (OperatorOf(name) is not { } comparison)
            {
                Problem(field, path, "only match, not_match"
                    + (attribute.IsNumber ? ", equals, not_equals, greater_than, greater_equals, less_than and less_equals are known"
                        : " and, of numbers, comparisons are known"));
                isRight = false;
            }
            else if (!attribute.IsNumber)
            {
                Problem(field, path, $"{attribute.Name} is no number; match or not_match is expected");
                isRight = false;
            }
            else if (!SettingValue.TryInteger(operand.Text ?? "", out var number))
            {
                Problem(operand, $"{path}.{name}", "a whole number is expected");
                isRight = false;
            }
            else
            {
                comparisons.Add(new NumberComparison(comparison, number));
            }
        }

        return isRight ? new ValueCondition(pattern, isNegated, comparisons) : null;
    }

    /// <summary>Names of transport protocols are written in capitals; a pattern for them may have any case.</summary>
    private Glob? Pattern(FilterAttribute attribute, ConfigurationNode node, string path)
    {
        string? error = "a text or a glob is expected";
        if (node.Text is { } text
            && Glob.TryParse(attribute.Name == "transport" ? text.ToUpperInvariant() : text, out var glob, out error))
        {
            return glob;
        }

        Problem(node, path, error);
        return null;
    }

    private static NumberOperator? OperatorOf(string name) => name switch
    {
        "equals" => NumberOperator.Equals,
        "not_equals" => NumberOperator.NotEquals,
        "greater_than" => NumberOperator.GreaterThan,
        "greater_equals" => NumberOperator.GreaterEquals,
        "less_than" => NumberOperator.LessThan,
        "less_equals" => NumberOperator.LessEquals,
        _ => null,
    };

    private void Problem(ConfigurationNode at, string path, string error) =>
        problems.Add(SettingLayers.Describe(at, path, origin, error));
}
