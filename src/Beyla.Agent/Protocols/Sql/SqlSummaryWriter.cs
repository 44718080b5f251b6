namespace Beyla.Agent.Protocols.Sql;

/// <summary>Puts operations and targets one behind the other, each whole or not at all; the first that does not fit is the end.</summary>
internal ref struct SqlSummaryWriter(Span<byte> to)
{
    private readonly Span<byte> to = to;
    private int mark;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Something did not fit: nothing is written any more.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Where what is being put, or was put last, stands.</summary>
    public readonly Range Last => IsFull ? default : mark..Length;

    /// <summary>Puts one word.</summary>
    public Range Put(scoped ReadOnlySpan<byte> word)
    {
        Begin();
        Append(word);
        return Last;
    }

    /// <summary>Begins something of several parts.</summary>
    public void Begin()
    {
        IsFull |= Length == to.Length;
        if (Length > 0 && !IsFull)
        {
            to[Length++] = (byte)' ';
        }

        mark = Length;
    }

    /// <summary>What is being put is not whole after all: it vanishes, and nothing is written any more.</summary>
    public void Cancel()
    {
        Length = IsFull ? Length : Math.Max(0, mark - 1);
        IsFull = true;
    }

    /// <summary>Adds a part. If it does not fit, those before it vanish.</summary>
    public void Append(scoped ReadOnlySpan<byte> part)
    {
        if (IsFull)
        {
            return;
        }

        if (part.Length > to.Length - Length)
        {
            Cancel();
            return;
        }

        part.CopyTo(to[Length..]);
        Length += part.Length;
    }
}
