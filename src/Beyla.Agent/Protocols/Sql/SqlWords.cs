namespace Beyla.Agent.Protocols.Sql;

/// <summary>Finds the keyword that a word is, in any case, by a table of hashes without collisions of whole words.</summary>
internal static class SqlWords
{
    /// <summary>No keyword here is longer.</summary>
    public const int Longest = 13;

    private const int Slots = 1024;

    private static readonly byte[][] Names = Split();
    private static readonly SqlWord[] Table = Build();

    /// <summary>In the order of <see cref="SqlWord"/>.</summary>
    private static ReadOnlySpan<byte> All =>
        ("select insert replace update delete merge with values table copy truncate lock analyze vacuum cluster reindex refresh "u8 +
        "optimize describe desc create alter drop rename comment grant revoke set show reset call exec execute use listen "u8 +
        "notify unlisten explain prepare declare begin commit rollback end abort savepoint release start discard checkpoint do "u8 +
        "load fetch move close deallocate reassign security import kill flush pragma attach detach print backup restore open if "u8 +
        "while index view sequence schema database role user group login function procedure routine aggregate trigger type "u8 +
        "domain extension policy rule server publication subscription tablespace operator cast collation conversion language "u8 +
        "system statistics column tables materialized foreign event constraint or temp temporary global local unlogged unique "u8 +
        "recursive trusted procedural clustered nonclustered fulltext spatial concurrently exists only lateral into ignore "u8 +
        "low_priority high_priority delayed quick full freeze verbose binary session transaction time zone extended partitions "u8 +
        "query plan immediate all from join straight_join apply cross outer using where having order limit union except "u8 +
        "intersect returning window offset for when on as distinct output outfile dumpfile in is not true false password "u8 +
        "identified by"u8);

    /// <summary>Which keyword it is; None for any other word.</summary>
    public static SqlWord Find(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 2 or > Longest)
        {
            return SqlWord.None;
        }

        for (var slot = Hash(word); ; slot = (slot + 1) % Slots)
        {
            var found = Table[slot];
            if (found == SqlWord.None || IsSame(word, Names[(int)found - 1]))
            {
                return found;
            }
        }
    }

    private static int Hash(ReadOnlySpan<byte> word)
    {
        var mix = ((uint)word[0] | 0x20) + (((uint)word[1] | 0x20) * 31) + (((uint)word[^1] | 0x20) * 977);
        mix += ((uint)word[word.Length / 2] | 0x20) * 7919;
        return (int)((mix + ((uint)word.Length * 131)) * 2654435761 >> 22);
    }

    private static bool IsSame(ReadOnlySpan<byte> word, byte[] name)
    {
        if (word.Length != name.Length)
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            // Only letters of ASCII have a second case; 0x20 makes no other byte a letter, and turns _ into a byte that no word has.
            if (word[i] != name[i] && (word[i] | 0x20) != (name[i] == '_' ? 0 : name[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[][] Split()
    {
        var words = new List<byte[]>();
        foreach (var range in All.Split((byte)' '))
        {
            words.Add(All[range].ToArray());
        }

        return [.. words];
    }

    private static SqlWord[] Build()
    {
        var table = new SqlWord[Slots];
        for (var i = 0; i < Names.Length; i++)
        {
            var slot = Hash(Names[i]);
            while (table[slot] != SqlWord.None)
            {
                slot = (slot + 1) % Slots;
            }

            table[slot] = (SqlWord)(i + 1);
        }

        return table;
    }
}
