namespace Beyla.Agent.Metrics;

/// <summary>What a series had when it was sent last: where the difference to that is sent, it is the next beginning.</summary>
internal sealed class SentValues
{
    /// <summary>As <see cref="Series.Sum"/>.</summary>
    public long Sum { get; private set; }

    /// <summary>As <see cref="Series.Count"/>.</summary>
    public long Count { get; private set; }

    /// <summary>As <see cref="Series.Counts"/>.</summary>
    public long[]? Counts { get; private set; }

    /// <summary>As <see cref="Series.Exponential"/>.</summary>
    public ExponentialBuckets? Exponential { get; private set; }

    /// <summary>Takes over what the series has now.</summary>
    public void Take(Series series)
    {
        (Sum, Count) = (series.Sum, series.Count);
        if (series.Exponential is { } exponential)
        {
            (Exponential ??= exponential.Like()).Take(exponential);
        }
        else if (series.Counts is { } counts)
        {
            counts.CopyTo(Counts ??= new long[counts.Length], 0);
        }
    }
}
