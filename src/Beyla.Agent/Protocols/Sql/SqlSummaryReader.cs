namespace Beyla.Agent.Protocols.Sql;

/// <summary>Reads a text once and picks the operations and their targets. It knows as much of the grammar as that needs.</summary>
internal ref partial struct SqlSummaryReader
{
    /// <summary>Brackets inside one another whose content is looked at.</summary>
    public const int MaxDepth = 64;

    /// <summary>Common table expressions that are remembered, as their names are no tables.</summary>
    public const int MaxExpressions = 16;

    private readonly ReadOnlySpan<byte> text;
    private readonly Span<SqlFrame> frames;
    private readonly Span<(int Start, int End)> expressions;
    private readonly SqlDialect dialect;
    private readonly bool isCut;
    private SqlScanner scanner;
    private SqlSummaryWriter writer;
    private int depth;
    private int deeper;
    private int expressionCount;

    /// <summary>What the statement's first word asks for, as long as it waits for it outside of brackets.</summary>
    private Phase phase;
    private SqlWord command;
    private SqlWord kind;
    private SqlWord previous;
    private byte previousSymbol;
    private bool begun;
    private int statements;
    private Range operation, collection, procedure;

    /// <summary>For <see cref="SqlSummary.Write"/>.</summary>
    public SqlSummaryReader(
        SqlScanner scanner,
        ReadOnlySpan<byte> text,
        SqlDialect dialect,
        bool isCut,
        Span<byte> to,
        Span<SqlFrame> frames,
        Span<(int Start, int End)> expressions)
    {
        this.text = text;
        this.dialect = dialect;
        this.isCut = isCut;
        this.frames = frames;
        this.expressions = expressions;
        this.scanner = scanner;
        writer = new SqlSummaryWriter(to);
        frames[0] = SqlFrame.Start;
    }

    private enum Phase : byte
    {
        /// <summary>Tables, by their keywords.</summary>
        Query,
        Kind,
        ObjectName,
        TableName,
        On,
        Setting,
        Zone,
        Procedure,
        Name,
        Later,

        /// <summary>A name was read: another one behind a comma.</summary>
        Names,

        /// <summary>Nothing more of this statement matters.</summary>
        Ignore,
    }

    private readonly ref SqlFrame Frame => ref frames[depth];

    /// <summary>Reads to the end.</summary>
    public SqlFacts Read()
    {
        for (var token = scanner.NextVisible(); token is not (SqlToken.End or SqlToken.Unsure); token = scanner.NextVisible())
        {
            if (token == SqlToken.Symbol)
            {
                OnSymbol(scanner.Text[0]);
                continue;
            }

            if (!begun)
            {
                begun = true;
                statements++;
            }

            if (phase == Phase.Ignore || deeper > 0 || writer.IsFull)
            {
                continue;
            }

            var isCutName = isCut && scanner.IsLast;
            var word = token == SqlToken.Word && !isCutName ? SqlWords.Find(scanner.Text) : SqlWord.None;
            if (!isCutName && token is SqlToken.Word or SqlToken.QuotedName or SqlToken.NameOrLiteral)
            {
                OnName(word, token == SqlToken.NameOrLiteral);
            }
            else
            {
                Frame &= ~(SqlFrame.Start | SqlFrame.Expect | SqlFrame.ExpectExpression);
            }

            previous = word;
            previousSymbol = 0;
        }

        return new SqlFacts(writer.Length, operation, collection, procedure, statements);
    }

    private void OnSymbol(byte symbol)
    {
        if (symbol == ';')
        {
            (depth, deeper, phase, begun, frames[0]) = (0, 0, Phase.Query, false, SqlFrame.Start);
        }
        else
        {
            // ODBC's {call p} and {?=call p} begin with what is no command.
            var isEscape = !begun && symbol == '{';
            if (!begun && !isEscape)
            {
                begun = true;
                statements++;
            }

            OnOther(symbol);
        }

        previous = SqlWord.None;
        previousSymbol = symbol;
    }

    private void OnOther(byte symbol)
    {
        switch (symbol)
        {
            case (byte)'(':
                Open();
                break;
            case (byte)')' when deeper > 0:
                deeper--;
                break;
            case (byte)')':
                depth = Math.Max(0, depth - 1);
                break;
            case (byte)',' when deeper == 0:
                if (phase == Phase.Names && depth == 0)
                {
                    phase = Phase.TableName;
                }
                else if ((Frame & SqlFrame.From) != 0)
                {
                    Frame |= SqlFrame.Expect;
                }
                else if ((Frame & SqlFrame.With) != 0)
                {
                    Frame |= SqlFrame.ExpectExpression;
                }

                break;
            case (byte)'{' or (byte)'=':
                break;
            default:
                Frame &= ~(SqlFrame.Expect | SqlFrame.ExpectExpression);
                break;
        }
    }

    private void Open()
    {
        if (deeper > 0 || depth + 1 == MaxDepth)
        {
            deeper++;
            return;
        }

        var inherited = (Frame & SqlFrame.Expect) != 0 ? SqlFrame.Expect | SqlFrame.From : SqlFrame.None;
        Frame &= ~(SqlFrame.Expect | SqlFrame.ExpectExpression);
        if (command != SqlWord.Explain || (Frame & SqlFrame.Start) == 0)
        {
            Frame &= ~SqlFrame.Start;
        }

        if (depth == 0 && phase == Phase.TableName && command == SqlWord.Copy)
        {
            // COPY (query) TO …
            phase = Phase.Query;
        }

        frames[++depth] = SqlFrame.Start | inherited;
    }

    /// <summary>Puts the name that begins with this token, with all its parts.</summary>
    private Range Name()
    {
        writer.Begin();
        writer.Append(scanner.Text);
        for (var ahead = scanner; ahead.NextVisible() == SqlToken.Symbol && ahead.Text[0] == '.';)
        {
            // A dot may stand behind a dot: database..table.
            var part = ahead.NextVisible();
            if (isCut && ahead.IsLast)
            {
                writer.Cancel();
                break;
            }

            if (part is SqlToken.Word or SqlToken.QuotedName or SqlToken.NameOrLiteral)
            {
                writer.Append("."u8);
                writer.Append(ahead.Text);
                scanner = ahead;
            }
            else if (part == SqlToken.Symbol && ahead.Text[0] == '.')
            {
                part = ahead.NextVisible();
                if (part is not (SqlToken.Word or SqlToken.QuotedName))
                {
                    break;
                }

                writer.Append(".."u8);
                writer.Append(ahead.Text);
                scanner = ahead;
            }
            else
            {
                break;
            }
        }

        return writer.Last;
    }

    private void Table()
    {
        var name = Name();
        if (collection.Equals(default))
        {
            collection = name;
        }
    }

    private void Operation()
    {
        var word = writer.Put(scanner.Text);
        if (operation.Equals(default))
        {
            operation = word;
        }
    }
}
