namespace Beyla.Agent.Export;

/// <summary>
/// Durations as Go prints them (time.Duration.String): <c>1.9ms</c>, <c>350µs</c>, <c>1m2.5s</c>, <c>0s</c>; here
/// with whole microseconds.
/// </summary>
public static class GoDurationText
{
    /// <summary>Writes a duration; a negative one as 0s.</summary>
    public static void Write(long microseconds, ref LineWriter line)
    {
        switch (microseconds)
        {
            case <= 0:
                line.Write("0s"u8);
                break;
            case < 1000:
                line.WriteNumber(microseconds);
                line.Write("µs"u8);
                break;
            case < 1_000_000:
                Fraction(microseconds, 1000, 3, ref line);
                line.Write("ms"u8);
                break;
            default:
                var minutes = microseconds / 60_000_000;
                if (minutes >= 60)
                {
                    line.WriteNumber(minutes / 60);
                    line.Write("h"u8);
                }

                if (minutes > 0)
                {
                    line.WriteNumber(minutes % 60);
                    line.Write("m"u8);
                }

                Fraction(microseconds % 60_000_000, 1_000_000, 6, ref line);
                line.Write("s"u8);
                break;
        }
    }

    private static void Fraction(long value, int unit, int digits, ref LineWriter line)
    {
        line.WriteNumber(value / unit);
        var rest = (int)(value % unit);
        if (rest == 0)
        {
            return;
        }

        while (rest % 10 == 0)
        {
            rest /= 10;
            digits--;
        }

        line.Write("."u8);
        line.WriteDigits(rest, digits);
    }
}
