namespace Beyla.Agent.Metrics;

/// <summary>
/// In which bucket of an exponential histogram a value is (OpenTelemetry specification, "Metrics Data Model", "Exponential Histogram"): at
/// scale s the base is 2^(2^-s), and bucket i has what is above base^i, up to base^(i+1). Exact at all bounds. Does not allocate.
/// </summary>
public static class ExponentialIndex
{
    /// <summary>The coarsest and the finest scale that the specification asks for.</summary>
    public const int LeastScale = -10, MostScale = 20;

    private const int FractionBits = 52, Bias = 1023;

    /// <summary>
    /// How near to a bound a logarithm is not trusted. It is wrong by less than 2^-52, and is multiplied by 2^20 at most.
    /// </summary>
    private const double Doubt = 1.0 / (1L << 30);

    /// <summary>The index of a value's bucket.</summary>
    /// <param name="value">Above zero, finite, and not subnormal.</param>
    /// <param name="scale">From <see cref="LeastScale"/> to <see cref="MostScale"/>.</param>
    public static int Of(double value, int scale)
    {
        var bits = BitConverter.DoubleToUInt64Bits(value);
        var exponent = (int)(bits >> FractionBits) - Bias;
        var fraction = bits & ((1UL << FractionBits) - 1);
        if (scale <= 0)
        {
            // A power of two is the bound of some bucket at scale 0, and the last value in it.
            return (fraction == 0 ? exponent - 1 : exponent) >> -scale;
        }

        if (fraction == 0)
        {
            return (exponent << scale) - 1;
        }

        // From 1 to 2. No bound between powers of two is a binary fraction, so that what is not near one is above or below it.
        var significand = BitConverter.UInt64BitsToDouble(((ulong)Bias << FractionBits) | fraction);
        var steps = Math.Log2(significand) * (1 << scale);
        var whole = (int)steps;
        var rest = steps - whole;
        return (exponent << scale) + (rest is > Doubt and < 1 - Doubt ? whole : StepsOf(fraction, scale));
    }

    /// <summary>
    /// The whole part of 2^scale times the binary logarithm of 1.fraction, digit by digit: each square doubles the logarithm. Each is wrong
    /// by less than 2^-124 of itself, which the squares after it make 2^-104; no double is so near to a bound: of 2^52 and of 2^20 that
    /// lie at random, the nearest two are 2^-72 apart.
    /// </summary>
    private static int StepsOf(ulong fraction, int scale)
    {
        var steps = 0;
        // 1 is 2^127.
        var value = (UInt128)((1UL << FractionBits) | fraction) << (127 - FractionBits);
        for (var digit = 0; digit < scale; digit++)
        {
            var (high, low) = ((ulong)(value >> 64), (ulong)value);
            var square = ((UInt128)high * high) + (((UInt128)high * low) >> 64 << 1); // 1 is 2^126
            steps <<= 1;
            if (square >> 127 != 0)
            {
                steps++;
                value = square;
            }
            else
            {
                value = square << 1;
            }
        }

        return steps;
    }
}
