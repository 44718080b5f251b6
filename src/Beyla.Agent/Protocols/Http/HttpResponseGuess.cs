using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Http;

/// <summary>
/// Guesses where an answer begins when the one before it does not visibly end: an operation that looks like a status line is tried as
/// one, and given back to the body when it is none. It knows what to go back to. It never decides what a status line means or what
/// becomes of an exchange.
/// </summary>
internal struct HttpResponseGuess
{
    private HttpPhase triedIn;
    private long taken;

    /// <summary>A start line is being tried.</summary>
    public bool IsTried { get; private set; }

    /// <summary>When the answer before it was seen last: CLOCK_MONOTONIC in nanoseconds.</summary>
    public long SeenBefore { get; private set; }

    /// <summary>
    /// Begins to try an operation, where no other request waits only as long as there is no answer yet: else it is taken for part of the
    /// body.
    /// </summary>
    /// <param name="segment">The operation.</param>
    /// <param name="reader">The direction of the answers.</param>
    /// <param name="exchange">The exchange that is being answered.</param>
    public void Try(in Segment segment, ref HttpMessageReader reader, HttpExchange exchange)
    {
        if (HttpStartLine.MayBeResponse(segment.Data) && (exchange.Status == 0 || exchange.Following is not null || exchange.Overflow > 0))
        {
            triedIn = reader.Phase;
            taken = 0;
            SeenBefore = exchange.LastSeen;
            IsTried = true;
            reader.Phase = HttpPhase.Start;
        }
    }

    /// <summary>Bytes were taken for a start line.</summary>
    public void Take(long count) => taken += count;

    /// <summary>It was a start line, or nothing is left to go back to.</summary>
    public void Settle() => IsTried = false;

    /// <summary>It is no start line: back to the body, or the answer can no longer be followed.</summary>
    public void GiveUp(ref HttpMessageReader reader, BufferPool pool)
    {
        if (!IsTried)
        {
            reader.Lose(pool);
            return;
        }

        IsTried = false;
        reader.Line.Release(pool);
        reader.Phase = triedIn;
        reader.Body.AddRaw(taken);
    }
}
