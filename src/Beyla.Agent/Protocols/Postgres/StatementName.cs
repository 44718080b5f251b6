using System.Buffers;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The name in <c>DEALLOCATE [PREPARE] name</c> and <c>PREPARE name ...</c> (PostgreSQL manual, SQL commands), which is that of a prepared
/// statement of the protocol too.
/// </summary>
internal static class StatementName
{
    /// <summary>Longer names are cut by the server: NAMEDATALEN - 1.</summary>
    public const int MaxLength = 63;

    private static readonly SearchValues<byte> EndOfWord = SearchValues.Create(" \t\r\n;("u8);

    /// <summary>Finds the name.</summary>
    /// <param name="text">A statement without comments, blanks collapsed.</param>
    /// <param name="name">As written, with quotes.</param>
    public static bool TryFind(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!TryTakeWord(ref text, out var command))
        {
            return false;
        }

        var isDeallocate = Is(command, "deallocate"u8);
        if (!(isDeallocate || Is(command, "prepare"u8)) || !TryTakeWord(ref text, out name))
        {
            return false;
        }

        if (isDeallocate && Is(name, "prepare"u8) && !TryTakeWord(ref text, out name))
        {
            return false;
        }

        if (name.IsEmpty || name.Length > MaxLength || name[0] == '?')
        {
            return false;
        }

        // A quote within quotes is written twice: such names are left alone.
        return name[0] == '"' ? name.Length > 2 && name[1..].IndexOf((byte)'"') == name.Length - 2 : !name.Contains((byte)'"');
    }

    /// <summary>The name as the protocol has it: quotes taken off, else in lower case (manual, section 4.1.1).</summary>
    /// <param name="name">As written.</param>
    /// <param name="lower">Takes it.</param>
    public static ReadOnlySpan<byte> Fold(ReadOnlySpan<byte> name, Span<byte> lower)
    {
        if (name[0] == '"')
        {
            return name[1..^1];
        }

        for (var i = 0; i < name.Length; i++)
        {
            lower[i] = name[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(name[i] | 0x20) : name[i];
        }

        return lower[..name.Length];
    }

    private static bool TryTakeWord(scoped ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> word)
    {
        text = text.TrimStart(" \t\r\n"u8);
        var end = text.IndexOfAny(EndOfWord);
        word = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[end..];
        return word.Length > 1 || (word.Length == 1 && word[0] != '"');
    }

    private static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lower)
    {
        if (word.Length != lower.Length)
        {
            return false;
        }

        for (var i = 0; i < word.Length; i++)
        {
            if ((word[i] | 0x20) != lower[i])
            {
                return false;
            }
        }

        return true;
    }
}
