using Beyla.Agent.Kernel;

namespace Beyla.Agent.Spans;

/// <summary>
/// The protocols whose spans an exporter takes (<c>otel_traces_export.instrumentations</c> and its like): <c>http</c>, <c>sql</c>
/// (PostgreSQL too), <c>redis</c>; <c>*</c> or no list is all.
/// </summary>
public sealed class WantedProtocols
{
    private readonly bool[] wanted = new bool[byte.MaxValue + 1];

    /// <param name="names">As configured; null for all.</param>
    public WantedProtocols(IReadOnlySet<string>? names)
    {
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] = names is null || names.Contains("*") || names.Contains(NameOf((ProtocolId)i));
        }
    }

    /// <summary>Whether spans of a protocol are taken.</summary>
    public bool Has(ProtocolId protocol) => wanted[(int)protocol];

    private static string NameOf(ProtocolId protocol)
    {
        var name = SpanProtocols.Of(protocol).Name;
        return name == SpanProtocol.PostgreSql.Name ? "sql" : name;
    }
}
