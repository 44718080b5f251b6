namespace Beyla.Agent.Protocols.Postgres;

/// <summary>Names of databases: many connections have the same one, which is kept once. A bounded number.</summary>
internal sealed class SharedNames
{
    private const int MaxNames = 256, MaxLength = 128;

    private readonly List<byte[]> names = [];

    /// <summary>A copy of a name, shared when it is known.</summary>
    public byte[] Share(ReadOnlySpan<byte> name)
    {
        name = name[..Math.Min(name.Length, MaxLength)];
        foreach (var known in names)
        {
            if (name.SequenceEqual(known))
            {
                return known;
            }
        }

        var copy = name.ToArray();
        if (names.Count < MaxNames)
        {
            names.Add(copy);
        }

        return copy;
    }
}
