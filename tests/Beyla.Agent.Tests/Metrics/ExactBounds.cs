using System.Numerics;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>
/// Bounds of exponential buckets in whole numbers of 400 bits: roots of two by Newton's method, and their products. One is 2^400.
/// </summary>
internal static class ExactBounds
{
    public const int Bits = 400;

    private static readonly BigInteger[] Roots = MakeRoots(); // 2^(2^-i)

    /// <summary>2^(step / 2^scale), where step is less than 2^scale; some units of the last place too small.</summary>
    public static BigInteger Of(int scale, int step)
    {
        var bound = BigInteger.One << Bits;
        for (var digit = 1; digit <= scale; digit++)
        {
            if ((step >> (scale - digit) & 1) != 0)
            {
                bound = bound * Roots[digit] >> Bits;
            }
        }

        return bound;
    }

    /// <summary>1.fraction of a double, exact, and its exponent.</summary>
    public static (BigInteger Significand, int Exponent) Split(double value)
    {
        var bits = BitConverter.DoubleToUInt64Bits(value);
        return ((BigInteger)((1UL << 52) | (bits & ((1UL << 52) - 1))) << (Bits - 52), (int)(bits >> 52) - 1023);
    }

    /// <summary>
    /// Whether base^index is below the value, and base^(index + 1) is not (OpenTelemetry data model, "Exponential Histogram").
    /// </summary>
    public static bool Holds(double value, int scale, int index) => IsAbove(value, scale, index) && !IsAbove(value, scale, index + 1L);

    private static bool IsAbove(double value, int scale, long index)
    {
        var (significand, exponent) = Split(value);
        // The bound is 2^(whole + step / 2^scale).
        var whole = scale > 0 ? index >> scale : index << -scale;
        var step = scale > 0 ? (int)(index & ((1L << scale) - 1)) : 0;
        return exponent != whole ? exponent > whole : significand > Of(Math.Max(scale, 0), step);
    }

    private static BigInteger[] MakeRoots()
    {
        var roots = new BigInteger[21];
        roots[0] = new BigInteger(2) << Bits;
        for (var i = 1; i < roots.Length; i++)
        {
            var square = roots[i - 1] << Bits;
            var (root, before) = (roots[i - 1], BigInteger.Zero);
            while (before != root)
            {
                before = root;
                root = BigInteger.Min(root, (root + (square / root)) >> 1);
            }

            roots[i] = root;
        }

        return roots;
    }
}
