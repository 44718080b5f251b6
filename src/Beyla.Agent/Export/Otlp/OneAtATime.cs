namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Before a transport that shares its way with others, as standard output: each request is whole before the next begins, and behind one
/// that could not be ended nothing comes. One thread for each.
/// </summary>
/// <param name="transport">Carries the requests.</param>
/// <param name="turn">Whose turn it is; the same for all that share.</param>
public sealed class OneAtATime(IOtlpTransport transport, OutputTurn turn) : IOtlpTransport
{
    /// <inheritdoc/>
    public string Target => transport.Target;

    /// <inheritdoc/>
    public OtlpAnswer Send(ReadOnlyMemory<byte> body, CancellationToken limit)
    {
        if (!turn.TryTake(limit))
        {
            return new OtlpAnswer(OtlpVerdict.Refused, Reason: "its reader did not take it in time");
        }

        var answer = new OtlpAnswer(OtlpVerdict.Refused);
        try
        {
            return answer = transport.Send(body, limit);
        }
        finally
        {
            turn.GiveBack(isWhole: answer.Verdict == OtlpVerdict.Taken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => transport.Dispose();
}
