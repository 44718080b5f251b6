namespace Beyla.Agent.Protocols.Sql;

/// <summary>What is known of the text inside one pair of brackets, or outside of all of them.</summary>
[Flags]
internal enum SqlFrame : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Its first word is yet to come.</summary>
    Start = 1,

    /// <summary>It is a statement in which FROM and JOIN have tables behind them.</summary>
    Query = 2,

    /// <summary>A list of tables: one more stands behind a comma.</summary>
    From = 4,

    /// <summary>A table comes next.</summary>
    Expect = 8,

    /// <summary>A list of common table expressions.</summary>
    With = 16,

    /// <summary>The name of such an expression comes next.</summary>
    ExpectExpression = 32,

    /// <summary>DELETE or MERGE, where tables stand behind USING.</summary>
    Using = 64,

    /// <summary>Words such as INTO and IGNORE may stand before the table.</summary>
    Modifiers = 128,
}
