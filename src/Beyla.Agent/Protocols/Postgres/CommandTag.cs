using System.Buffers.Text;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What a command tag says (PostgreSQL manual, "Message Formats", CommandComplete): <c>SELECT 7</c>, <c>INSERT 0 1</c>, <c>BEGIN</c>.
/// </summary>
internal static class CommandTag
{
    /// <summary>Rows that were returned: those of SELECT, FETCH and the like; -1 when the command returns none.</summary>
    /// <param name="tag">Without NUL.</param>
    public static long Rows(ReadOnlySpan<byte> tag)
    {
        // INSERT, UPDATE, DELETE and MERGE count rows that they changed, MOVE those it passed, COPY those it copied.
        var space = tag.IndexOf((byte)' ');
        return space > 0 && (tag[..space].SequenceEqual("SELECT"u8) || tag[..space].SequenceEqual("FETCH"u8))
            && Utf8Parser.TryParse(tag[(space + 1)..], out long rows, out var used) && used == tag.Length - space - 1 && rows >= 0
            ? rows
            : -1;
    }

    /// <summary>Whether the command changed what is prepared.</summary>
    public static bool IsOfStatements(ReadOnlySpan<byte> tag) =>
        tag.StartsWith("DEALLOCATE"u8) || tag.SequenceEqual("DISCARD ALL"u8) || tag.SequenceEqual("PREPARE"u8);

    /// <summary>The tag at the end of bytes that end before a ReadyForQuery: a CommandComplete that ends with them.</summary>
    /// <param name="bytes">Last bytes before it.</param>
    /// <param name="tag">Without NUL.</param>
    public static bool TryFindLast(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> tag)
    {
        const int Longest = 80;
        for (var at = bytes.Length - 7; at >= 0 && at >= bytes.Length - Longest; at--)
        {
            if (bytes[at] == 'C' && PostgresMessages.LengthOf(bytes[at..]) == bytes.Length - at - 1 && bytes[^1] == 0
                && bytes[(at + 5)..^1].IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0)
            {
                tag = bytes[(at + 5)..^1];
                return true;
            }
        }

        tag = default;
        return false;
    }
}
