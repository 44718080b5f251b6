using System.Text;

namespace Beyla.Agent.Metrics;

/// <summary>
/// Whose metrics they are: a service instance, which may be several processes that say the same of themselves, or the agent.
/// </summary>
public sealed class MetricResource
{
    private readonly byte[] name, space;
    private SeriesTable?[] tables = [];

    internal MetricResource(string job, string instance, IReadOnlyList<KeyValuePair<string, object>> attributes)
    {
        (Job, Instance, Attributes) = (job, instance, attributes);
        (name, space) = (Text("service.name"), Text("service.namespace"));
    }

    /// <summary>Namespace and name of the service, or the name alone.</summary>
    public string Job { get; }

    /// <summary>service.instance.id.</summary>
    public string Instance { get; }

    /// <summary>All attributes; those of the process that came last.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Attributes
    {
        get;
        internal set
        {
            field = value;
            (Written, Encoded) = (null, null);
        }
    }

    /// <summary>service.name, in UTF-8.</summary>
    internal ReadOnlySpan<byte> NameBytes => name;

    /// <summary>service.namespace, in UTF-8; may be empty.</summary>
    internal ReadOnlySpan<byte> NamespaceBytes => space;

    /// <summary>Series that it has.</summary>
    public int Count { get; private set; }

    /// <summary>Room for what a page has made of <see cref="Attributes"/> once, until they change. Under the lock of the store.</summary>
    public byte[]? Written { get; set; }

    /// <summary>The same for who sends them.</summary>
    internal byte[]? Encoded { get; set; }

    /// <summary>Processes that live.</summary>
    internal int Living { get; set; }

    /// <summary>When the last process ended, by the store's clock; <see cref="long.MaxValue"/> while one lives.</summary>
    internal long EndedAt { get; set; } = long.MaxValue;

    /// <summary>Pages that were read since then.</summary>
    internal int ReadsSinceEnd { get; set; }

    /// <summary>Whether it was sent since then.</summary>
    internal bool IsSentSinceEnd { get; set; }

    /// <summary>Its series of a metric, with gaps; empty when it has none.</summary>
    internal ReadOnlySpan<Series?> SlotsOf(MetricFamily family) =>
        family.Index < tables.Length && tables[family.Index] is { Count: > 0 } table ? table.Slots : default;

    internal SeriesTable TableOf(MetricFamily family)
    {
        if (family.Index >= tables.Length)
        {
            Array.Resize(ref tables, Math.Max(family.Index + 1, 4));
        }

        return tables[family.Index] ??= new SeriesTable();
    }

    internal void Add(Series series)
    {
        TableOf(series.Family).Add(series);
        Count++;
    }

    internal void Remove(Series series)
    {
        TableOf(series.Family).Remove(series);
        Count--;
    }

    private byte[] Text(string key) =>
        Encoding.UTF8.GetBytes(Attributes.FirstOrDefault(attribute => attribute.Key == key).Value as string ?? "");
}
