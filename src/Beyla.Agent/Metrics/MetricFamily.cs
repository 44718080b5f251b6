using System.Text;

namespace Beyla.Agent.Metrics;

/// <summary>A metric and its series, over all resources.</summary>
public sealed class MetricFamily
{
    private readonly List<Series> series = [];

    internal MetricFamily(int index, MetricDefinition definition)
    {
        (Index, Definition) = (index, definition);
        Name = Encoding.UTF8.GetBytes(definition.Name);
    }

    /// <summary>What it is.</summary>
    public MetricDefinition Definition { get; }

    /// <summary>All there are, in the order of their beginning, <see cref="Overflow"/> among them.</summary>
    public IReadOnlyList<Series> Series => series;

    /// <summary>The series of what found no room; null while there was room for all.</summary>
    public Series? Overflow { get; internal set; }

    internal byte[] Name { get; }

    /// <summary>Its place in the store.</summary>
    internal int Index { get; }

    /// <summary>When it may be looked for room again, by the store's clock.</summary>
    internal long NextLook { get; set; }

    internal void Add(Series one) => series.Add(one);

    /// <summary>Takes out what is over.</summary>
    internal int Remove(Predicate<Series> isOver) => series.RemoveAll(isOver);
}
