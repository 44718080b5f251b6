using System.Text;

namespace Beyla.Agent.Metrics;

/// <summary>A metric and its series, over all resources.</summary>
public sealed class MetricFamily
{
    private readonly List<Series> series = [];

    internal MetricFamily(int index, MetricDefinition definition, MetricStoreOptions options)
    {
        (Index, Definition) = (index, definition);
        IsExponential = options.Exponential is not null && definition.Buckets is not null;
        var selection = options.Attributes;
        var isDefault = true;
        for (var i = 0; i < definition.Attributes.Count; i++)
        {
            var attribute = definition.Attributes[i];
            if (definition.IsSelectable ? selection.HasMetric(NamesOf(definition), attribute.Name, !attribute.IsOptIn) : !attribute.IsOptIn)
            {
                Selected |= 1u << i;
            }

            HasOptIns |= attribute.IsOptIn && (Selected >> i & 1) != 0;
            isDefault &= (Selected >> i & 1) != 0 ^ attribute.IsOptIn;
        }

        Selected = isDefault ? uint.MaxValue : Selected; // nobody adds those that are opt-in then

        Name = Encoding.UTF8.GetBytes(definition.Name);
    }

    /// <summary>What it is.</summary>
    public MetricDefinition Definition { get; }

    /// <summary>Whether its series count in exponential buckets, for who sends them.</summary>
    public bool IsExponential { get; }

    /// <summary>All there are, in the order of their beginning, <see cref="Overflow"/> among them.</summary>
    public IReadOnlyList<Series> Series => series;

    /// <summary>The series of what found no room; null while there was room for all.</summary>
    public Series? Overflow { get; internal set; }

    internal byte[] Name { get; }

    /// <summary>A bit for each attribute that its series have; all of them where that is as by default.</summary>
    internal uint Selected { get; }

    /// <summary>Whether an attribute is among them that is not by default.</summary>
    internal bool HasOptIns { get; }

    /// <summary>Its place in the store.</summary>
    internal int Index { get; }

    /// <summary>When it may be looked for room again, by the store's clock.</summary>
    internal long NextLook { get; set; }

    /// <summary>As OpenTelemetry and Prometheus have it, also of the samples of a page.</summary>
    private static IEnumerable<string> NamesOf(MetricDefinition definition)
    {
        var unit = definition.Unit switch { "s" => "_seconds", "By" => "_bytes", "1" => "_ratio", _ => "" };
        var name = definition.Name;
        return [name, name + unit, name + "_total", name + unit + "_total", name + unit + "_bucket", name + unit + "_sum",
            name + unit + "_count"];
    }

    internal void Add(Series one) => series.Add(one);

    /// <summary>Takes out what is over.</summary>
    internal int Remove(Predicate<Series> isOver) => series.RemoveAll(isOver);
}
