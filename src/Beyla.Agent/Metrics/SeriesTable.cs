namespace Beyla.Agent.Metrics;

/// <summary>The series of one metric and one resource, by the values of their attributes.</summary>
internal sealed class SeriesTable
{
    private Series?[] slots = new Series?[8];
    private Series? last;
    private int count;

    /// <summary>The series of a key; null when there is none.</summary>
    public Series? Find(ReadOnlySpan<byte> key, ulong hash)
    {
        // Most requests are like the one before.
        if (last is { } known && known.Hash == hash && known.Key.SequenceEqual(key))
        {
            return known;
        }

        var mask = slots.Length - 1;
        for (var i = (int)hash & mask; slots[i] is { } series; i = (i + 1) & mask)
        {
            if (series.Hash == hash && series.Key.SequenceEqual(key))
            {
                return last = series;
            }
        }

        return null;
    }

    /// <summary>Adds one that is not there.</summary>
    public void Add(Series series)
    {
        if (2 * ++count > slots.Length)
        {
            Rebuild(2 * slots.Length, without: null);
        }

        Put(series);
    }

    /// <summary>Removes one that is there. Rare, and as long as the table.</summary>
    public void Remove(Series series)
    {
        count--;
        last = null;
        Rebuild(slots.Length, series);
    }

    private void Rebuild(int size, Series? without)
    {
        var before = slots;
        slots = new Series?[size];
        foreach (var series in before)
        {
            if (series is not null && series != without)
            {
                Put(series);
            }
        }
    }

    private void Put(Series series)
    {
        var mask = slots.Length - 1;
        var i = (int)series.Hash & mask;
        while (slots[i] is not null)
        {
            i = (i + 1) & mask;
        }

        slots[i] = series;
    }
}
