using Beyla.Agent.Selection;

namespace Beyla.Agent.Spans;

/// <summary>
/// Decides which spans are exported (OpenTelemetry specification, Trace SDK, "Sampling"). The ratio is deterministic in the identity of the
/// trace, by its last 56 bits, so that every agent and SDK that counts so takes the same traces, and a lower ratio takes a part of those of
/// a higher (W3C Trace Context 2, "random-trace-id"; OpenTelemetry, "TraceState: Probability Sampling": taken where R is not below the
/// threshold). Immutable; allocates nothing.
/// </summary>
public sealed class Sampler
{
    private const ulong RandomBits = (1ul << 56) - 1;

    private readonly bool isParentBased;

    /// <summary>Traces whose random part is below are not taken; 1 above all for none.</summary>
    private readonly ulong threshold;

    /// <param name="configuration">What was set.</param>
    public Sampler(SamplerConfiguration configuration)
    {
        isParentBased = configuration.IsParentBased;
        threshold = configuration.Kind switch
        {
            SamplerKind.AlwaysOn => 0,
            SamplerKind.AlwaysOff => RandomBits + 1,
            _ => RandomBits + 1 - (ulong)Math.Round(configuration.Ratio * (RandomBits + 1)),
        };
    }

    /// <summary>Whether every span is taken, whatever its trace, so that there is nothing to ask.</summary>
    public bool TakesAll => threshold == 0 && !isParentBased;

    /// <summary>
    /// Whether the span is exported. A span with a parent that came with the request, or was found here, has the flag of its parent; one
    /// without a trace is decided as if its identity were 0.
    /// </summary>
    public bool IsSampled(in TraceContext context) => isParentBased && context.ParentId != 0
        ? (context.Flags & TraceContext.Sampled) != 0
        : (context.TraceLow & RandomBits) >= threshold;
}
