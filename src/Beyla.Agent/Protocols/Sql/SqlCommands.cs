namespace Beyla.Agent.Protocols.Sql;

/// <summary>What stands behind the first word of a statement.</summary>
internal enum SqlRule : byte
{
    /// <summary>It is no command.</summary>
    Unknown = 0,

    /// <summary>Tables, anywhere.</summary>
    Query,

    /// <summary>A kind of object, and its name.</summary>
    Object,

    /// <summary>The name of a table, perhaps with its kind before it.</summary>
    Table,

    /// <summary>The same, behind ON.</summary>
    On,

    /// <summary>The name of a setting.</summary>
    Setting,

    /// <summary>The name of a procedure.</summary>
    Procedure,

    /// <summary>Another name.</summary>
    Name,

    /// <summary>Another statement.</summary>
    Statement,

    /// <summary>Another statement, behind AS or FOR.</summary>
    Later,

    /// <summary>Nothing of interest: names of cursors, savepoints and prepared statements are made by programs, without bound.</summary>
    Bare,
}

/// <summary>Which words are commands and the like.</summary>
internal static class SqlCommands
{
    /// <summary>The rule of a command.</summary>
    public static SqlRule Rule(SqlWord word, SqlDialect dialect) => word switch
    {
        >= SqlWord.Select and <= SqlWord.Table => SqlRule.Query,
        >= SqlWord.Copy and <= SqlWord.Desc => SqlRule.Table,
        >= SqlWord.Create and <= SqlWord.Rename => SqlRule.Object,
        >= SqlWord.Comment and <= SqlWord.Revoke => SqlRule.On,
        >= SqlWord.Set and <= SqlWord.Reset => SqlRule.Setting,
        SqlWord.Call => SqlRule.Procedure,
        SqlWord.Exec or SqlWord.Execute => dialect is SqlDialect.SqlServer or SqlDialect.Generic ? SqlRule.Procedure : SqlRule.Bare,
        >= SqlWord.Use and <= SqlWord.Unlisten => SqlRule.Name,
        SqlWord.Explain => SqlRule.Statement,
        SqlWord.Prepare or SqlWord.Declare => SqlRule.Later,

        // Statements of Transact-SQL need no semicolon between them.
        >= SqlWord.Begin and <= SqlWord.While => dialect == SqlDialect.SqlServer ? SqlRule.Query : SqlRule.Bare,
        _ => SqlRule.Unknown,
    };

    /// <summary>A kind of object that has a name.</summary>
    public static bool IsKind(SqlWord word) => word is SqlWord.Table or (>= SqlWord.Index and <= SqlWord.Column);

    /// <summary>Words that belong to the kind and stay.</summary>
    public static bool IsPartOfKind(SqlWord word) => word is SqlWord.Materialized or SqlWord.Foreign or SqlWord.Event;

    /// <summary>Words before a kind or a name that say nothing.</summary>
    public static bool IsModifier(SqlWord word) =>
        word is (>= SqlWord.Or and <= SqlWord.Only) or SqlWord.Replace or SqlWord.If or SqlWord.Not or SqlWord.Constraint;

    /// <summary>Words between TRUNCATE, VACUUM and the like and the table.</summary>
    public static bool IsOption(SqlWord word) =>
        word is (>= SqlWord.Full and <= SqlWord.Binary) or SqlWord.Only or SqlWord.If or SqlWord.Exists or SqlWord.Concurrently
            or SqlWord.Analyze;

    /// <summary>Words between INSERT or UPDATE and the table.</summary>
    public static bool IsTableModifier(SqlWord word) =>
        word is SqlWord.Table or SqlWord.Temp or SqlWord.Temporary or SqlWord.Unlogged or SqlWord.Or or SqlWord.Replace or SqlWord.Abort
            or SqlWord.Rollback or (>= SqlWord.Into and <= SqlWord.Quick);

    /// <summary>Words that end a list of tables, and cannot be the name of one.</summary>
    public static bool EndsTables(SqlWord word) =>
        word is (>= SqlWord.Where and <= SqlWord.When) or SqlWord.Select or SqlWord.Set or SqlWord.Values or SqlWord.Fetch
            or SqlWord.Output;
}
