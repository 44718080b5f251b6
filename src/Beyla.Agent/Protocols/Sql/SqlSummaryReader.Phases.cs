namespace Beyla.Agent.Protocols.Sql;

/// <summary>Statements that are no queries: what their first word asks for, step by step.</summary>
internal ref partial struct SqlSummaryReader
{
    /// <summary>Whether the word was used.</summary>
    private bool OnPhase(SqlWord word, bool perhapsLiteral)
    {
        switch (phase)
        {
            case Phase.Kind:
                OnKind(word);
                return true;
            case Phase.ObjectName:
                return OnObjectName(word);
            case Phase.TableName:
                return OnTableName(word);
            case Phase.On:
                phase = word == SqlWord.On ? Phase.TableName : phase;
                return true;
            case Phase.Setting:
                OnSetting(word);
                return true;
            case Phase.Zone:
                // TIME ZONE, START TRANSACTION.
                if (word is SqlWord.Zone or SqlWord.Transaction)
                {
                    writer.Put(scanner.Text);
                }

                phase = Phase.Ignore;
                return true;
            case Phase.Procedure:
                OnProcedure(word);
                return true;
            case Phase.Name:
                if (!perhapsLiteral)
                {
                    Name();
                }

                phase = Phase.Ignore;
                return true;
            case Phase.Later:
                return OnLater(word);
            default:
                return phase == Phase.Ignore;
        }
    }

    private void OnKind(SqlWord word)
    {
        if (SqlCommands.IsKind(word) || SqlCommands.IsPartOfKind(word))
        {
            writer.Put(scanner.Text);
            kind = word;
            phase = SqlCommands.IsPartOfKind(word) ? Phase.Kind
                : word is >= SqlWord.Role and <= SqlWord.Login ? Phase.Ignore : Phase.ObjectName;
        }
        else if (!SqlCommands.IsModifier(word))
        {
            phase = Phase.Ignore;
        }
    }

    private bool OnObjectName(SqlWord word)
    {
        if (SqlCommands.IsModifier(word))
        {
            return true;
        }

        if (word is SqlWord.On or SqlWord.For or SqlWord.Set or SqlWord.As)
        {
            // An index may have no name.
            phase = word == SqlWord.On ? Phase.TableName : Phase.Ignore;
            return true;
        }

        if (kind == SqlWord.Table)
        {
            Target();
        }
        else
        {
            Name();
        }

        phase = kind switch
        {
            SqlWord.Index or SqlWord.Trigger or SqlWord.Policy or SqlWord.Rule => Phase.On,
            SqlWord.Table or SqlWord.View => command == SqlWord.Drop ? Phase.Names : command == SqlWord.Create ? Phase.Query : Phase.Ignore,
            _ => command == SqlWord.Drop ? Phase.Names : Phase.Ignore,
        };
        return true;
    }

    private bool OnTableName(SqlWord word)
    {
        var isWhole = command is SqlWord.Create or SqlWord.Alter or SqlWord.Drop;
        if (!isWhole && (command is SqlWord.Grant or SqlWord.Revoke or SqlWord.Comment))
        {
            if (SqlCommands.IsKind(word) || word is SqlWord.All or SqlWord.In or SqlWord.Tables)
            {
                return true;
            }
        }
        else if (!isWhole && (SqlCommands.IsKind(word) || SqlCommands.IsPartOfKind(word) || word == SqlWord.Tables))
        {
            writer.Put(scanner.Text);
            return true;
        }

        if (SqlCommands.IsOption(word))
        {
            return true;
        }

        if (word == SqlWord.Select || SqlCommands.EndsTables(word))
        {
            // DESCRIBE SELECT is EXPLAIN SELECT.
            phase = Phase.Query;
            return false;
        }

        Target();
        phase = isWhole && command != SqlWord.Drop ? Phase.Ignore : command == SqlWord.Copy ? Phase.Ignore : Phase.Names;
        return true;
    }

    private void OnSetting(SqlWord word)
    {
        if (word is SqlWord.Session or SqlWord.Local or SqlWord.Global or SqlWord.Full)
        {
            return;
        }

        Name();
        phase = word == SqlWord.Time ? Phase.Zone : Phase.Ignore;
    }

    private void OnProcedure(SqlWord word)
    {
        if (scanner.Text[0] == '@')
        {
            return;
        }

        phase = dialect == SqlDialect.SqlServer ? Phase.Query : Phase.Ignore;
        if (word is SqlWord.Immediate or SqlWord.As)
        {
            return;
        }

        var name = Name();
        if (procedure.Equals(default))
        {
            procedure = name;
        }
    }

    private bool OnLater(SqlWord word)
    {
        if (word == SqlWord.Transaction && command == SqlWord.Prepare)
        {
            writer.Put(scanner.Text);
            phase = Phase.Ignore;
        }
        else if (word is SqlWord.As or SqlWord.For)
        {
            Frame |= SqlFrame.Start;
        }
        else if (dialect == SqlDialect.SqlServer && word is SqlWord.Select or SqlWord.Set or SqlWord.Exec)
        {
            phase = Phase.Query;
            return false;
        }

        return true;
    }
}
