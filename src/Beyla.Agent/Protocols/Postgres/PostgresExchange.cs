using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>One Query, Execute or FunctionCall and what is known of its response.</summary>
internal sealed class PostgresExchange : Exchange
{
    /// <summary>Characters of SQLSTATE.</summary>
    public const int StateLength = 5;

    private readonly byte[] state = new byte[StateLength];
    private bool hasState;

    /// <summary>The statement, with a reference; null when it is not known.</summary>
    public StatementText? Statement { get; set; }

    /// <summary>Rows that were returned; -1 as long as no command said so.</summary>
    public long Rows { get; set; } = -1;

    /// <summary>The server reported an error.</summary>
    public bool IsFailed { get; private set; }

    /// <summary>The server passed over it, because something before it in the same pipeline failed.</summary>
    public bool IsAborted { get; set; }

    /// <summary>SQLSTATE of the error; empty when there is none or it was not seen.</summary>
    public ReadOnlySpan<byte> State => hasState ? state : default;

    /// <summary>Notes the first error.</summary>
    /// <param name="sqlState">Five characters, or empty when it was not seen.</param>
    public void Fail(ReadOnlySpan<byte> sqlState)
    {
        if (IsFailed)
        {
            return;
        }

        IsFailed = true;
        hasState = sqlState.Length == StateLength;
        if (hasState)
        {
            sqlState.CopyTo(state);
        }
    }

    /// <inheritdoc/>
    public override void Clear(BufferPool buffers)
    {
        Statement = null;
        Rows = -1;
        IsFailed = IsAborted = hasState = false;
        base.Clear(buffers);
    }
}
