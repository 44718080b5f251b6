using System.Globalization;

namespace Beyla.PowerShell.Parameters;

/// <summary>Durations as people write them.</summary>
public static class DurationText
{
    private static readonly (string Suffix, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    /// <summary>
    /// The seconds in <c>30s</c>, <c>5m</c>, <c>500ms</c>, <c>1.5h</c>, <c>2d</c> or a bare number of seconds; null
    /// when the text is none of these.
    /// </summary>
    public static double? Seconds(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var (suffix, seconds) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                && Number(text.AsSpan(0, text.Length - suffix.Length)) is { } number)
            {
                return number * seconds;
            }
        }

        return Number(text);
    }

    private static double? Number(ReadOnlySpan<char> text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
}
