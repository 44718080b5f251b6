using System.Collections.Frozen;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// The commands that are known (https://redis.io/docs/latest/commands), with the roles of their arguments (<see cref="RedisCommand"/>).
/// Names are upper case; letters of any case are found. What is not in the table shows its first argument, which is a key nearly always.
/// </summary>
internal static class RedisCommands
{
    /// <summary>Bytes of the longest name that is looked for, sub-command included.</summary>
    public const int MaxName = RespPeek.Size;

    /// <summary>What is said of a command that is not in the table.</summary>
    public static readonly RedisCommand Other = new(RedisCommandKind.Plain, "k");

    /// <summary>What is said of a command that hides all.</summary>
    public static readonly RedisCommand Hidden = new(RedisCommandKind.Plain, "(v)");

    private static readonly FrozenDictionary<string, RedisCommand> Known = Read();

    private static readonly FrozenDictionary<string, RedisCommand>.AlternateLookup<ReadOnlySpan<char>> ByName =
        Known.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> OptionWords =
        RedisCommandTable.Options.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The command of that name, or null.</summary>
    /// <param name="name">As sent, with one blank before a sub-command.</param>
    public static RedisCommand? Find(scoped ReadOnlySpan<byte> name)
    {
        Span<char> upper = stackalloc char[MaxName];
        return TryUpper(name, ref upper) && ByName.TryGetValue(upper, out var command) ? command : null;
    }

    /// <summary>Whether a text is a word that options begin with: it is shown.</summary>
    public static bool IsOption(scoped ReadOnlySpan<byte> text)
    {
        Span<char> upper = stackalloc char[MaxName];
        return TryUpper(text, ref upper) && OptionWords.Contains(upper);
    }

    /// <summary>Whether a text can be the name of a command: a word of letters, digits and <c>. _ -</c>, a letter first.</summary>
    public static bool IsName(scoped ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.Length >= MaxName || !char.IsAsciiLetter((char)text[0]))
        {
            return false;
        }

        foreach (var b in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'.' or (byte)'_' or (byte)'-'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryUpper(scoped ReadOnlySpan<byte> text, ref Span<char> upper)
    {
        if (text.Length > upper.Length)
        {
            return false;
        }

        for (var i = 0; i < text.Length; i++)
        {
            upper[i] = char.ToUpperInvariant((char)text[i]);
        }

        upper = upper[..text.Length];
        return true;
    }

    private static FrozenDictionary<string, RedisCommand> Read()
    {
        var commands = new Dictionary<string, RedisCommand>(StringComparer.Ordinal)
        {
            ["CLIENT REPLY"] = new(RedisCommandKind.ClientReply, "m"),
        };
        foreach (var line in RedisCommandTable.Commands.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var head = line[..colon].Split(' ');
            var kind = head.Length > 1 ? Enum.Parse<RedisCommandKind>(head[0]) : RedisCommandKind.Plain;
            Add(commands, "", line[(colon + 1)..], new RedisCommand(kind, head[^1]));
        }

        foreach (var line in RedisCommandTable.SubCommands.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var head = line[..colon].Split(' ');
            Add(commands, head[0] + " ", line[(colon + 1)..], new RedisCommand(RedisCommandKind.Plain, head[1]));
        }

        return commands.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static void Add(Dictionary<string, RedisCommand> commands, string before, string names, RedisCommand command)
    {
        foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            commands.Add(before + name, command);
        }
    }
}
