namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// Puts tokens one behind the other, whole or not at all, with one blank where there was white space, and makes <c>(?)</c> of a list of
/// literals behind IN: nothing of the list is written until something other than a literal and a comma is found in it.
/// </summary>
internal ref struct SqlTextWriter(Span<byte> to)
{
    private readonly Span<byte> to = to;
    private State state;
    private bool blank;
    private bool comma;
    private int held;

    private enum State : byte
    {
        Outside,
        AfterIn,
        AfterBracket,
        List,
    }

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>A token did not fit: nothing is written any more.</summary>
    public bool IsFull { get; private set; }

    /// <summary>White space stands here.</summary>
    public void Blank() => blank = Length > 0;

    /// <summary>Puts a token that is shown.</summary>
    /// <param name="token">Its bytes.</param>
    /// <param name="isIn">It is the word IN.</param>
    public void Put(scoped ReadOnlySpan<byte> token, bool isIn)
    {
        LeaveList();
        state = isIn ? State.AfterIn : State.Outside;
        Write(token);
    }

    /// <summary>Puts <c>?</c> in the place of a literal.</summary>
    public void Literal()
    {
        if (state == State.List && comma)
        {
            held++;
            comma = blank = false;
            return;
        }

        LeaveList();
        state = state == State.AfterBracket ? State.List : State.Outside;
        Write("?"u8);
    }

    /// <summary>Puts a symbol.</summary>
    public void Symbol(byte symbol)
    {
        if (state == State.List && !comma)
        {
            if (symbol == ',')
            {
                comma = true;
                blank = false;
                return;
            }

            if (symbol == ')')
            {
                blank = false;
                held = 0;
            }
        }

        LeaveList();
        state = state == State.AfterIn && symbol == '(' ? State.AfterBracket : State.Outside;
        Write([symbol]);
    }

    /// <summary>Writes what was held back: the list has more than literals.</summary>
    private void LeaveList()
    {
        if (state != State.List)
        {
            return;
        }

        var after = blank;
        blank = false;
        for (; held > 0; held--)
        {
            Write(",?"u8);
        }

        if (comma)
        {
            Write(","u8);
        }

        blank = after;
        comma = false;
        state = State.Outside;
    }

    private void Write(scoped ReadOnlySpan<byte> token)
    {
        var needed = token.Length + (blank ? 1 : 0);
        if (IsFull || needed > to.Length - Length)
        {
            IsFull = true;
            return;
        }

        if (blank)
        {
            to[Length++] = (byte)' ';
            blank = false;
        }

        token.CopyTo(to[Length..]);
        Length += token.Length;
    }
}
