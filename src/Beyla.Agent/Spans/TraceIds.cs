namespace Beyla.Agent.Spans;

/// <summary>
/// Makes identities of traces and spans: random in all bits, as W3C Trace Context level 2 (section 4.1) wants them. They name things and
/// protect nothing. One thread.
/// </summary>
public sealed class TraceIds
{
    /// <summary>Seeded by the operating system; two agents do not give the same identities.</summary>
    private readonly Random random = new();

    /// <summary>The identity of a span, never 0.</summary>
    public ulong Next()
    {
        ulong result = 0;
        while (result == 0)
        {
            result = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }

        return result;
    }

    /// <summary>Begins a trace with a span that nothing is known to have led to.</summary>
    public void Begin(ref TraceContext context)
    {
        (context.TraceHigh, context.TraceLow, context.Flags) = (Next(), Next(), TraceContext.Sampled);
        (context.ParentId, context.Source) = (0, ParentSource.None);
    }
}
