namespace Beyla.Agent.Protocols.Sql;

/// <summary>What <see cref="SqlScanner.Next"/> found.</summary>
internal enum SqlToken : byte
{
    /// <summary>Nothing more.</summary>
    End = 0,

    /// <summary>White space and comments, as many as stand together.</summary>
    Blank,

    /// <summary>A keyword or a name without quotes.</summary>
    Word,

    /// <summary>A name in quotes, with them.</summary>
    QuotedName,

    /// <summary>Text in double quotes that some servers take for a name and others for a literal.</summary>
    NameOrLiteral,

    /// <summary>A literal: text or bits with prefix and quotes, or a number with its sign. Also what has no end, whatever it is.</summary>
    Literal,

    /// <summary>A place for a value: <c>$1</c>, <c>?</c>, <c>:1</c>, <c>@1</c>. Named ones are a symbol and a word.</summary>
    Parameter,

    /// <summary>One byte of anything else.</summary>
    Symbol,

    /// <summary>All that is left: it cannot be told what of it is inside a literal.</summary>
    Unsure,
}
