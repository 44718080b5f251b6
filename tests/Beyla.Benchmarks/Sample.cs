using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>Values of several rounds; quoted as median (minimum to maximum).</summary>
internal sealed class Sample
{
    private readonly List<double> values = [];

    public int Count => values.Count;

    public double Median => At(0.5);

    public void Add(double value) => values.Add(value);

    public double At(double quantile)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        var sorted = values.Order().ToArray();
        var position = quantile * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }

    public string Show(string format) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Median.ToString(format, CultureInfo.InvariantCulture)} "
            + $"({At(0.25).ToString(format, CultureInfo.InvariantCulture)} to {At(0.75).ToString(format, CultureInfo.InvariantCulture)})");
}
