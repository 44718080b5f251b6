using System.Buffers;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>Where a comment ends (PostgreSQL 4.1.5, MySQL 11.7, Transact-SQL "Comment").</summary>
internal static class SqlComment
{
    /// <summary>It cannot be told: the dialects disagree.</summary>
    public const int Unsure = -1;

    /// <summary>In a line that is a comment to some and code to others, these bytes change what follows the line.</summary>
    private static readonly SearchValues<byte> Telling = SearchValues.Create("'\"`/$"u8);

    private static readonly SearchValues<byte> Borders = SearchValues.Create("*/"u8);

    /// <summary>The place behind the comment that begins at a place; that place itself if none does; <see cref="Unsure"/>.</summary>
    /// <remarks>MySQL's comments that are code, <c>/*! … */</c>, are not looked for here: the scanner reads them.</remarks>
    public static int End(ReadOnlySpan<byte> text, int at, SqlDialect dialect)
    {
        var next = SqlBytes.At(text, at + 1);
        switch (text[at])
        {
            case (byte)'-' when next == '-':
                // MySQL wants white space or a control byte behind it: 5--3 is 8.
                var plain = at + 2 >= text.Length || text[at + 2] <= ' ';
                return plain || dialect is SqlDialect.Postgres or SqlDialect.SqlServer ? Line(text, at, dialect, false)
                    : dialect == SqlDialect.Generic ? Line(text, at, dialect, true) : at;
            case (byte)'#' when dialect is SqlDialect.MySql or SqlDialect.Generic:
                return Line(text, at, dialect, dialect == SqlDialect.Generic);
            case (byte)'/' when next == '*':
                return dialect switch
                {
                    SqlDialect.MySql => Flat(text, at),
                    SqlDialect.Generic => Agreed(text, at),
                    _ => Nested(text, at),
                };
            default:
                return at;
        }
    }

    private static int Line(ReadOnlySpan<byte> text, int at, SqlDialect dialect, bool perhaps)
    {
        var rest = text[at..];

        // A carriage return alone ends a line for PostgreSQL only.
        var length = dialect is SqlDialect.Postgres or SqlDialect.Generic
            ? rest.IndexOfAny((byte)'\n', (byte)'\r')
            : rest.IndexOf((byte)'\n');
        length = length < 0 ? rest.Length : length;
        if (dialect == SqlDialect.Generic)
        {
            var alone = length < rest.Length && rest[length] == '\r' && SqlBytes.At(rest, length + 1) != '\n';
            if (alone || (perhaps && rest[..length].ContainsAny(Telling)))
            {
                return Unsure;
            }
        }

        return at + length;
    }

    private static int Flat(ReadOnlySpan<byte> text, int at)
    {
        var length = text[(at + 2)..].IndexOf("*/"u8);
        return length < 0 ? text.Length : at + length + 4;
    }

    private static int Nested(ReadOnlySpan<byte> text, int at)
    {
        var depth = 1;
        for (at += 2; ; at++)
        {
            var next = text[at..].IndexOfAny(Borders);
            if (next < 0)
            {
                return text.Length;
            }

            at += next;
            var pair = SqlBytes.At(text, at + 1);
            if (text[at] == '/' && pair == '*')
            {
                depth++;
                at++;
            }
            else if (text[at] == '*' && pair == '/')
            {
                at++;
                if (--depth == 0)
                {
                    return at + 1;
                }
            }
        }
    }

    /// <summary>Where nested, flat and MySQL's executed comments end alike.</summary>
    private static int Agreed(ReadOnlySpan<byte> text, int at)
    {
        var end = Flat(text, at);
        var body = text[(at + 2)..Math.Max(at + 2, end - 1)];
        var isCode = body.StartsWith("!"u8) || body.StartsWith("M!"u8);
        return body.IndexOf("/*"u8) >= 0 || (isCode && (body.ContainsAny(Telling) || body.IndexOf("--"u8) >= 0)) ? Unsure : end;
    }
}
