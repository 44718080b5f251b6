using System.Buffers.Binary;

namespace Beyla.Agent.Protocols.Sql;

/// <summary>Finds the keyword that a word is, in any case: one look into a table, and hardly ever a second.</summary>
internal static class SqlWords
{
    /// <summary>No keyword here is longer.</summary>
    public const int Longest = 13;

    private const int Slots = 1024;

    /// <summary>All bits that tell capital letters from small ones. They make no other byte of a name a letter.</summary>
    private const ulong Small = 0x2020202020202020;

    private static readonly Entry[] Table = Build();

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
    /// <param name="word">A name without quotes.</param>
    public static SqlWord Find(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 2 or > Longest)
        {
            return SqlWord.None;
        }

        var key = Key(word);
        for (var slot = Slot(key); ; slot = (slot + 1) % Slots)
        {
            ref readonly var entry = ref Table[slot];
            if (entry.Word == SqlWord.None || (entry.Key == key && entry.Length == word.Length))
            {
                return entry.Word;
            }
        }
    }

    /// <summary>All bytes of a word of 2 to 16 bytes: its beginning and its end, which may have bytes in common.</summary>
    private static (ulong Begin, ulong End) Key(ReadOnlySpan<byte> word)
    {
        if (word.Length >= 8)
        {
            return (BinaryPrimitives.ReadUInt64LittleEndian(word) | Small, BinaryPrimitives.ReadUInt64LittleEndian(word[^8..]) | Small);
        }

        return word.Length >= 4
            ? (BinaryPrimitives.ReadUInt32LittleEndian(word) | Small, BinaryPrimitives.ReadUInt32LittleEndian(word[^4..]) | Small)
            : (BinaryPrimitives.ReadUInt16LittleEndian(word) | Small, BinaryPrimitives.ReadUInt16LittleEndian(word[^2..]) | Small);
    }

    private static int Slot((ulong Begin, ulong End) key) => (int)((key.Begin + (key.End * 31)) * 0x9E3779B97F4A7C15 >> 54);

    private static Entry[] Build()
    {
        var table = new Entry[Slots];
        var word = SqlWord.None;
        foreach (var range in All.Split((byte)' '))
        {
            var name = All[range];
            var key = Key(name);
            var slot = Slot(key);
            while (table[slot].Word != SqlWord.None)
            {
                slot = (slot + 1) % Slots;
            }

            table[slot] = new Entry(key, name.Length, ++word);
        }

        return table;
    }

    private readonly record struct Entry((ulong Begin, ulong End) Key, int Length, SqlWord Word);
}
