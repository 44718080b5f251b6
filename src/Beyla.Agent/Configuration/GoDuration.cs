using System.Globalization;

namespace Beyla.Agent.Configuration;

/// <summary>Durations in Go's notation: <c>1h30m</c>, <c>1.5s</c>, <c>250ms</c>, <c>0</c>.</summary>
public static class GoDuration
{
    private static readonly System.Buffers.SearchValues<char> NumberCharacters = System.Buffers.SearchValues.Create("0123456789.");
    private static readonly TimeSpan Maximum = TimeSpan.FromDays(3650);

    /// <summary>Reads a duration that is not negative and not longer than ten years.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
        {
            return true;
        }

        if (text.Length is 0 or > 64)
        {
            return false;
        }

        if (text[0] == '+')
        {
            text = text[1..];
        }

        decimal ticks = 0;
        do
        {
            var digits = text.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0
                || !decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            {
                return false;
            }

            text = text[digits..];
            var length = text.IndexOfAny(NumberCharacters);
            var unit = TicksOf(length < 0 ? text : text[..length]);
            if (unit == 0 || value > Maximum.Ticks / unit)
            {
                return false;
            }

            ticks += value * unit;
            text = length < 0 ? [] : text[length..];
        }
        while (!text.IsEmpty);
        if (ticks > Maximum.Ticks)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    private static decimal TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01m,
        "us" or "µs" or "μs" => 10,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => 0,
    };
}
