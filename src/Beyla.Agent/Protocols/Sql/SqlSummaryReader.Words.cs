namespace Beyla.Agent.Protocols.Sql;

/// <summary>What each word means where it stands.</summary>
internal ref partial struct SqlSummaryReader
{
    private void OnName(SqlWord word, bool perhapsLiteral)
    {
        if ((Frame & SqlFrame.Start) != 0)
        {
            Frame &= ~SqlFrame.Start;
            if (depth == 0 ? Command(word) : Inner(word))
            {
                return;
            }
        }

        if (depth == 0 && phase != Phase.Query && OnPhase(word, perhapsLiteral))
        {
            return;
        }

        if ((Frame & SqlFrame.ExpectExpression) != 0)
        {
            Expression(word);
            return;
        }

        if ((Frame & SqlFrame.Expect) != 0)
        {
            var isModifier = word is SqlWord.Only or SqlWord.Lateral
                || ((Frame & SqlFrame.Modifiers) != 0 && SqlCommands.IsTableModifier(word));
            if (isModifier)
            {
                return;
            }

            Frame &= ~(SqlFrame.Expect | SqlFrame.Modifiers);
            if (!SqlCommands.EndsTables(word) && word is not (SqlWord.From or SqlWord.Outfile or SqlWord.Dumpfile))
            {
                Target();
                return;
            }
        }

        Keyword(word);
    }

    /// <summary>The first word inside of brackets.</summary>
    private bool Inner(SqlWord word)
    {
        if (word is SqlWord.Select or SqlWord.With or SqlWord.Insert or SqlWord.Update or SqlWord.Delete or SqlWord.Merge)
        {
            Frame = SqlFrame.None;
            Begin(word);
            return true;
        }

        if (word == SqlWord.Values)
        {
            Frame = SqlFrame.None;
        }

        return false;
    }

    /// <summary>The first word of a statement.</summary>
    private bool Command(SqlWord word)
    {
        if (command == SqlWord.Explain && phase == Phase.Later)
        {
            if (word == SqlWord.Analyze)
            {
                Operation();
            }

            if (word is SqlWord.Analyze or SqlWord.Verbose or SqlWord.Extended or SqlWord.Partitions or SqlWord.Query or SqlWord.Plan
                or SqlWord.For)
            {
                Frame |= SqlFrame.Start;
                return true;
            }
        }

        var rule = SqlCommands.Rule(word, dialect);
        command = word;
        phase = rule switch
        {
            SqlRule.Query => Phase.Query,
            SqlRule.Object => Phase.Kind,
            SqlRule.Table => Phase.TableName,
            SqlRule.On => Phase.On,
            SqlRule.Setting => Phase.Setting,
            SqlRule.Procedure => Phase.Procedure,
            SqlRule.Name => Phase.Name,
            SqlRule.Statement or SqlRule.Later => Phase.Later,
            _ => Phase.Ignore,
        };
        if (rule == SqlRule.Query)
        {
            Begin(word);
            return true;
        }

        if (rule != SqlRule.Unknown)
        {
            Operation();
        }

        Frame |= rule == SqlRule.Statement ? SqlFrame.Start : SqlFrame.None;
        if (word == SqlWord.Start)
        {
            phase = Phase.Zone;
        }

        return true;
    }

    /// <summary>A statement that reads or writes tables begins.</summary>
    private void Begin(SqlWord word)
    {
        Frame &= ~(SqlFrame.From | SqlFrame.Expect | SqlFrame.With | SqlFrame.ExpectExpression | SqlFrame.Using | SqlFrame.Modifiers);
        Frame |= word switch
        {
            SqlWord.With => SqlFrame.With | SqlFrame.ExpectExpression,
            SqlWord.Select => SqlFrame.Query,
            SqlWord.Insert or SqlWord.Replace => SqlFrame.Expect | SqlFrame.Modifiers,
            SqlWord.Update => SqlFrame.Query | SqlFrame.From | SqlFrame.Expect | SqlFrame.Modifiers,
            SqlWord.Delete => SqlFrame.Query | SqlFrame.Using | SqlFrame.Expect | SqlFrame.Modifiers,
            SqlWord.Merge => SqlFrame.Query | SqlFrame.Using | SqlFrame.Expect | SqlFrame.Modifiers,
            SqlWord.Table => SqlFrame.Expect,
            _ => SqlFrame.None,
        };
        if (word is not (SqlWord.With or SqlWord.If or SqlWord.While))
        {
            Operation();
        }
    }

    private void Keyword(SqlWord word)
    {
        switch (word)
        {
            case SqlWord.Select when previous != SqlWord.On:
            case SqlWord.Insert or SqlWord.Update or SqlWord.Delete or SqlWord.Merge or SqlWord.Exec or SqlWord.Execute when MayBegin():
                command = depth == 0 ? word : command;
                Begin(word);
                phase = depth == 0 && word is SqlWord.Exec or SqlWord.Execute ? Phase.Procedure : phase;
                break;
            case SqlWord.With when previousSymbol == ')' && (Frame & SqlFrame.From) == 0:
            case SqlWord.With when previous == SqlWord.As:
                Begin(word);
                break;
            case SqlWord.From when (Frame & SqlFrame.Query) != 0 && previous != SqlWord.Distinct:
            case SqlWord.Join or SqlWord.StraightJoin when (Frame & (SqlFrame.Query | SqlFrame.From)) != 0:
            case SqlWord.Apply when previous is SqlWord.Cross or SqlWord.Outer:
                Frame |= SqlFrame.From | SqlFrame.Expect;
                break;
            case SqlWord.Using when (Frame & SqlFrame.Using) != 0 && (command == SqlWord.Merge || !OpensBracket()):
                Frame |= SqlFrame.From | SqlFrame.Expect;
                break;
            case SqlWord.Into when (Frame & SqlFrame.Query) != 0:
                Frame |= SqlFrame.Expect | SqlFrame.Modifiers;
                break;
            default:
                if (SqlCommands.EndsTables(word))
                {
                    Frame &= ~(SqlFrame.From | SqlFrame.Modifiers);
                }

                break;
        }
    }

    /// <summary>Whether INSERT, UPDATE and the like are a statement here, and not a part of FOR UPDATE or ON DELETE.</summary>
    private readonly bool MayBegin() => dialect == SqlDialect.SqlServer && depth == 0
        ? previousSymbol != ','
            && previous is not (SqlWord.On or SqlWord.For or SqlWord.When or SqlWord.Or or SqlWord.As or SqlWord.Do) && !IsThen()
        : previousSymbol == ')' || previous == SqlWord.As;

    /// <summary>The arms of MERGE: WHEN MATCHED THEN UPDATE.</summary>
    private readonly bool IsThen() => command == SqlWord.Merge;

    private readonly bool OpensBracket()
    {
        var ahead = scanner;
        return ahead.NextVisible() == SqlToken.Symbol && ahead.Text[0] == '(';
    }

    private void Expression(SqlWord word)
    {
        if (word == SqlWord.Recursive)
        {
            return;
        }

        Frame &= ~SqlFrame.ExpectExpression;
        if (expressionCount < MaxExpressions)
        {
            expressions[expressionCount++] = (scanner.Start, scanner.End);
        }
    }

    /// <summary>Puts a table, unless it is a common table expression of the same text, or a variable of Transact-SQL.</summary>
    private void Target()
    {
        if (scanner.Text[0] == '@')
        {
            return;
        }

        for (var i = 0; i < expressionCount && scanner.Following != '.'; i++)
        {
            var (start, end) = expressions[i];
            if (System.Text.Ascii.EqualsIgnoreCase(text[start..end], scanner.Text))
            {
                return;
            }
        }

        Table();
    }
}
