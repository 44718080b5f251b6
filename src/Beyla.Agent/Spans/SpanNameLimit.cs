using System.Text;

namespace Beyla.Agent.Spans;

/// <summary>
/// Span names that metrics tell apart, <c>attributes.metric_span_names_limit</c>: the first ones of a service up to the limit; all that
/// come later are <c>AGGREGATED</c>, as the peer has it. Bounded over services too. One thread; does not allocate for a name that is known.
/// </summary>
/// <param name="limit">Names of one service; 0 or less is no limit.</param>
public sealed class SpanNameLimit(int limit)
{
    /// <summary>What stands for the names beyond the limit.</summary>
    public static ReadOnlySpan<byte> Aggregated => "AGGREGATED"u8;

    /// <summary>Services whose names are told apart.</summary>
    private const int MaximumServices = 1024;

    /// <summary>Characters of a name that count.</summary>
    private const int MaximumName = 512;

    private readonly Dictionary<(string Namespace, string Name), HashSet<string>> services = [];

    /// <summary>Spans whose name became <see cref="Aggregated"/>.</summary>
    public long Folded { get; private set; }

    /// <summary>The name under which metrics count the span: the one that is given, or the one for all others.</summary>
    /// <param name="serviceNamespace">service.namespace.</param>
    /// <param name="service">service.name.</param>
    /// <param name="name">The name of the span in UTF-8; two that differ only behind 512 bytes are one here.</param>
    public ReadOnlySpan<byte> Of(string serviceNamespace, string service, ReadOnlySpan<byte> name)
    {
        if (limit <= 0)
        {
            return name;
        }

        if (!services.TryGetValue((serviceNamespace, service), out var names) && services.Count < MaximumServices)
        {
            services.Add((serviceNamespace, service), names = new HashSet<string>(StringComparer.Ordinal));
        }

        if (names is not null)
        {
            Span<char> text = stackalloc char[MaximumName];
            text = text[..Encoding.UTF8.GetChars(name[..Math.Min(name.Length, MaximumName)], text)];
            if (names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text))
            {
                return name;
            }

            if (names.Count < limit)
            {
                _ = names.Add(text.ToString());
                return name;
            }
        }

        Folded++;
        return Aggregated;
    }

    /// <summary>No process of the service is left: its names are given back.</summary>
    public void Forget(string serviceNamespace, string service) => services.Remove((serviceNamespace, service));
}
