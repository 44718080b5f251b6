namespace Beyla.Agent.Metrics;

/// <summary>
/// The bounds of a histogram. Measurements are whole numbers (microseconds, bytes), so that their sum is exact; a bound is the last value
/// that belongs to its bucket.
/// </summary>
public sealed class Buckets
{
    // The same bounds in what is measured. A bound between two whole numbers lets in the lower one.
    private readonly long[] last;

    /// <param name="bounds">In the unit of the metric, rising.</param>
    /// <param name="scale">Measured units in one of the metric: 1,000,000 where seconds are measured in microseconds.</param>
    /// <exception cref="ArgumentException">The bounds do not rise, or one is no finite number.</exception>
    public Buckets(IReadOnlyList<double> bounds, long scale)
    {
        (Bounds, Scale) = (bounds, scale);
        last = new long[bounds.Count];
        for (var i = 0; i < last.Length; i++)
        {
            if (!double.IsFinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
            {
                throw new ArgumentException("the bounds of a histogram are finite and rise", nameof(bounds));
            }

            // 0.005 s are 5000 µs, not the 4999.9… that a product of binary fractions may be.
            last[i] = (long)Math.Floor(Math.Round(bounds[i] * scale, 6));
        }
    }

    /// <summary>http.server.request.duration and its like (semantic conventions, "HTTP metrics"), in seconds.</summary>
    public static IReadOnlyList<double> Durations { get; } = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    /// <summary>db.client.operation.duration (semantic conventions, "Database client metrics"), in seconds.</summary>
    public static IReadOnlyList<double> Queries { get; } = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

    /// <summary>Sizes, in bytes, as Grafana Beyla has them.</summary>
    public static IReadOnlyList<double> Sizes { get; } = [0, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

    /// <summary>Round-trip times of TCP, in seconds, as Grafana Beyla has them.</summary>
    public static IReadOnlyList<double> RoundTrips { get; } = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

    /// <summary>In the unit of the metric.</summary>
    public IReadOnlyList<double> Bounds { get; }

    /// <summary>Measured units in one of the metric.</summary>
    public long Scale { get; }

    /// <summary>The bucket of a measurement; that of those above all bounds is the last one, <see cref="Bounds"/>.Count.</summary>
    public int IndexOf(long measured)
    {
        var bounds = last;
        var i = 0;
        // Most requests are quick: the first bounds are the ones.
        while (i < bounds.Length && measured > bounds[i])
        {
            i++;
        }

        return i;
    }
}
