using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>The messages whose response counts. Bind, Describe and Close have one too, but nothing depends on it.</summary>
internal enum Expected : byte
{
    /// <summary>Nothing is expected.</summary>
    None,

    /// <summary>A start-up: ReadyForQuery when the session is open.</summary>
    StartUp,

    /// <summary>Parse: ParseComplete.</summary>
    Parse,

    /// <summary>Execute: CommandComplete, EmptyQueryResponse or PortalSuspended.</summary>
    Execute,

    /// <summary>Query: all of its statements, then ReadyForQuery.</summary>
    Query,

    /// <summary>FunctionCall: its response, then ReadyForQuery.</summary>
    Function,

    /// <summary>Sync: ReadyForQuery.</summary>
    Sync,

    /// <summary>Requests that passed unseen: how many responses they have is not known.</summary>
    Unknown,

    /// <summary>Added to one that had no room for an exchange.</summary>
    Unread = 0x80,
}

/// <summary>
/// What a server has yet to respond to, in order. A ring of bytes: a pipeline may be thousands of messages long.
/// </summary>
/// <param name="buffers">Give room for long ones.</param>
internal sealed class ExpectedResponses(BufferPool buffers)
{
    private const int Small = 16;

    private readonly byte[] small = new byte[Small];
    private byte[]? large;
    private int first, count;

    /// <summary>How many there are.</summary>
    public int Count => count;

    /// <summary>How many of them end with ReadyForQuery, as those that passed unseen may, too.</summary>
    public int Turns { get; private set; }

    /// <summary>How many of them are Sync.</summary>
    public int Syncs { get; private set; }

    /// <summary>Place of the next one that is added, counted from the first one of the connection.</summary>
    public long Next { get; private set; }

    /// <summary>Place of the first one.</summary>
    public long Head => Next - count;

    /// <summary>What was added last.</summary>
    public Expected Last => count == 0 ? Expected.None : At(count - 1);

    /// <summary>The one that is responded to next.</summary>
    public Expected First => count == 0 ? Expected.None : At(0);

    private Span<byte> Ring => large ?? small;

    /// <summary>The one behind the first by that number.</summary>
    public Expected At(int index) => (Expected)Ring[(first + index) & (Ring.Length - 1)];

    /// <summary>Whether one ends with ReadyForQuery.</summary>
    public static bool IsTurn(Expected expected) => (expected & ~Expected.Unread)
        is Expected.Query or Expected.Function or Expected.Sync or Expected.StartUp or Expected.Unknown;

    /// <summary>How many Execute are expected before the first ReadyForQuery.</summary>
    public int CountExecutes()
    {
        var executes = 0;
        for (var i = 0; i < count && !IsTurn(At(i)); i++)
        {
            executes += (At(i) & ~Expected.Unread) == Expected.Execute ? 1 : 0;
        }

        return executes;
    }

    /// <summary>Adds one at the end.</summary>
    /// <returns>Whether there was room.</returns>
    public bool TryAdd(Expected expected)
    {
        if (count == Ring.Length && !TryGrow())
        {
            return false;
        }

        Ring[(first + count++) & (Ring.Length - 1)] = (byte)expected;
        Next++;
        Tally(expected, 1);
        return true;
    }

    /// <summary>Takes the first one.</summary>
    public Expected Take()
    {
        var expected = First;
        first = (first + 1) & (Ring.Length - 1);
        count--;
        Tally(expected, -1);
        if (count == 0)
        {
            Shrink();
        }

        return expected;
    }

    /// <summary>The second one is a Sync and will have no response.</summary>
    public bool TryDropSecondSync()
    {
        if (count < 2 || At(1) != Expected.Sync)
        {
            return false;
        }

        var head = First;
        _ = Take();
        _ = Take();
        first = (first - 1) & (Ring.Length - 1);
        Ring[first] = (byte)head;
        count++;
        Tally(head, 1);
        return true;
    }

    /// <summary>Nothing is expected any more.</summary>
    public void Clear()
    {
        count = Turns = Syncs = 0;
        Shrink();
    }

    private void Tally(Expected expected, int by)
    {
        Turns += IsTurn(expected) ? by : 0;
        Syncs += expected == Expected.Sync ? by : 0;
    }

    private bool TryGrow()
    {
        var size = Ring.Length == Small ? 256 : Ring.Length * 4;
        if (size > BufferPool.MaxSize)
        {
            return false;
        }

        var larger = buffers.Rent(size);
        for (var i = 0; i < count; i++)
        {
            larger[i] = (byte)At(i);
        }

        buffers.Return(large);
        large = larger;
        first = 0;
        return true;
    }

    private void Shrink()
    {
        buffers.Return(large);
        large = null;
        first = 0;
    }
}
