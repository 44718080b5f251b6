namespace Beyla.Agent.Protocols.Sql;

/// <summary>The words before a token, as far as they tell whether it is a value or a name.</summary>
internal struct SqlContext
{
    private SqlWord last;
    private SqlWord beforeLast;
    private bool afterDot;
    private bool opens;
    private int depth;

    /// <summary>A bit for each open bracket: it holds a query, in which a table stands behind FROM.</summary>
    private ulong queries;

    /// <summary>A name stands here, whatever its quotes are: part of a qualified one, or behind a word that only a table follows.</summary>
    public readonly bool IsNamePlace => !IsSecret && (afterDot || last switch
    {
        SqlWord.Into or SqlWord.Update or SqlWord.Join or SqlWord.Table => true,

        // EXTRACT(… FROM x) and x IS DISTINCT FROM y have a value there.
        SqlWord.From => beforeLast != SqlWord.Distinct && (depth == 0 || (depth < 64 && (queries >> depth & 1) != 0)),
        _ => false,
    });

    /// <summary>A password stands here, even if it lacks the quotes of a literal: the server refuses it, yet it was sent.</summary>
    public readonly bool IsSecret => last == SqlWord.Password || (last == SqlWord.By && beforeLast == SqlWord.Identified);

    /// <summary>Whether a word is a value: TRUE and FALSE, but not the test IS [NOT] TRUE; what follows IDENTIFIED BY.</summary>
    public readonly bool IsValue(SqlWord word) => word switch
    {
        SqlWord.True or SqlWord.False => !afterDot && last != SqlWord.Is && !(last == SqlWord.Not && beforeLast == SqlWord.Is),
        SqlWord.Password => false,
        _ => last == SqlWord.By && beforeLast == SqlWord.Identified,
    };

    /// <summary>A word passed.</summary>
    public void OnWord(SqlWord word)
    {
        if (opens && word is SqlWord.Select or SqlWord.With && depth < 64)
        {
            queries |= 1UL << depth;
        }

        (beforeLast, last, opens, afterDot) = (last, word, false, false);
    }

    /// <summary>A symbol passed.</summary>
    public void OnSymbol(byte symbol)
    {
        OnOther();
        afterDot = symbol == '.';
        opens = symbol == '(';
        if (opens)
        {
            depth++;
            queries &= depth < 64 ? ~(1UL << depth) : ulong.MaxValue;
        }
        else if (symbol == ')' && depth > 0)
        {
            depth--;
        }
    }

    /// <summary>Anything else that is no white space passed.</summary>
    public void OnOther()
    {
        (beforeLast, last) = (SqlWord.None, SqlWord.None);
        opens = afterDot = false;
    }
}
