namespace Beyla.Agent.Configuration;

/// <summary>
/// Tells which characters of a YAML text are comments, read from its start to its end. Needed before the text can be parsed: variables
/// are replaced first, and one in a comment is none.
/// </summary>
/// <remarks>
/// YAML 1.2.2: 6.6 a comment begins with <c>#</c> at the start of a line or after a blank; 7.3 it cannot begin inside quotes, 8.1 nor
/// inside a block scalar. In doubt a character counts as content: then a variable is replaced that need not be, and none is left that
/// should have been.
/// </remarks>
internal sealed class YamlComments(string text)
{
    private enum Place : byte
    {
        /// <summary>Where a value, a key or an entry may begin.</summary>
        Start,

        /// <summary>In a text without quotes, or after a value.</summary>
        Plain,
        SingleQuoted,
        DoubleQuoted,
        Comment,

        /// <summary>In a line of a block scalar (<c>|</c> or <c>&gt;</c>).</summary>
        Block,
    }

    private Place place;
    private bool lineStart = true;
    private bool afterQuotes;
    private bool blockFollows;
    private int indent;
    private int parentIndent;
    private int blockIndent = -1;
    private int brackets;
    private int skip;

    /// <summary>Reads the character at that position and says whether it belongs to a comment. Call for each in its order.</summary>
    public bool Read(int position)
    {
        var character = text[position];
        if (character == '\n')
        {
            NextLine();
            return false;
        }

        if (skip > 0)
        {
            skip--;
            return false;
        }

        if (lineStart)
        {
            if (character == ' ')
            {
                indent++;
                return false;
            }

            BeginLine(position);
        }

        switch (place)
        {
            case Place.Start:
                ReadStart(character, position);
                break;
            case Place.Plain:
                ReadPlain(character, position);
                break;
            case Place.SingleQuoted when character == '\'' && Next(position) == '\'':
            case Place.DoubleQuoted when character == '\\' && Next(position) != '\n':
                skip = 1;
                break;
            case Place.SingleQuoted when character == '\'':
            case Place.DoubleQuoted when character == '"':
                (place, afterQuotes) = (Place.Plain, true);
                break;
        }

        return place == Place.Comment;
    }

    /// <summary>Passes over the rest of a variable whose <c>$</c> was read: it is content whatever its characters are.</summary>
    public void Pass()
    {
        skip = 0;
        if (place == Place.Start)
        {
            place = Place.Plain;
        }
    }

    private void NextLine()
    {
        (lineStart, indent, skip) = (true, 0, 0);
        if (place is not (Place.SingleQuoted or Place.DoubleQuoted))
        {
            place = Place.Start;
        }
    }

    /// <summary>At the first character of a line that is no blank.</summary>
    private void BeginLine(int position)
    {
        lineStart = false;
        if (place is Place.SingleQuoted or Place.DoubleQuoted)
        {
            return;
        }

        if (blockFollows)
        {
            blockFollows = false;
            blockIndent = indent > parentIndent ? indent : -1;
        }

        if (blockIndent >= 0 && indent < blockIndent)
        {
            blockIndent = -1;
        }

        parentIndent = indent;
        if (blockIndent >= 0)
        {
            place = Place.Block;
        }
        else if (indent == 0 && string.CompareOrdinal(text, position, "---", 0, 3) == 0 && IsBlank(Next(position + 2)))
        {
            (skip, parentIndent, brackets) = (2, -1, 0); // the start of the document, after which a value may follow
        }
    }

    private void ReadStart(char character, int position)
    {
        if (skip > 0)
        {
            return;
        }

        switch (character)
        {
            case ' ' or '\t' or '\r' or '\ufeff':
                return;
            case '#':
                place = position == 0 || IsBlank(text[position - 1]) ? Place.Comment : Place.Plain;
                return;
            case '\'':
                place = Place.SingleQuoted;
                return;
            case '"':
                place = Place.DoubleQuoted;
                return;
            case '[' or '{':
                brackets++;
                return;
            case ']' or '}':
                brackets = Math.Max(brackets - 1, 0);
                (place, afterQuotes) = (Place.Plain, true);
                return;
            case ',' when brackets > 0:
            case '-' or '?' or ':' when IsBlank(Next(position)):
                return;
            case '&' or '!':
                // An anchor or a tag stands before a value.
                for (var next = position + 1; next < text.Length && !IsBlank(text[next]); next++)
                {
                    skip++;
                }

                return;
            case '|' or '>' when brackets == 0:
                blockFollows = true;
                break;
        }

        (place, afterQuotes) = (Place.Plain, false);
    }

    private void ReadPlain(char character, int position)
    {
        if (character == '#' && IsBlank(text[position - 1]))
        {
            place = Place.Comment;
        }
        else if (character == ':' && (IsBlank(Next(position)) || (brackets > 0 && (afterQuotes || Next(position) is ',' or ']' or '}'))))
        {
            place = Place.Start;
        }
        else if (brackets > 0 && character == ',')
        {
            place = Place.Start;
        }
        else if (brackets > 0 && character is ']' or '}')
        {
            (brackets, afterQuotes) = (Math.Max(brackets - 1, 0), true);
        }
        else if (brackets > 0 && character is '[' or '{')
        {
            (place, brackets) = (Place.Start, brackets + 1);
        }
    }

    private char Next(int position) => position + 1 < text.Length ? text[position + 1] : '\n';

    private static bool IsBlank(char character) => character is ' ' or '\t' or '\r' or '\n' or '\ufeff';
}
