using System.Globalization;

namespace Beyla;

/// <summary>A port, or a range of ports with both ends: <c>8080</c>, <c>9000-9010</c>.</summary>
public readonly record struct PortRange
{
    /// <summary>One port.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 1 and 65535.</exception>
    public PortRange(int port)
        : this(port, port)
    {
    }

    /// <summary>A range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An end is not between 1 and 65535, or the first is above the last.</exception>
    public PortRange(int first, int last)
    {
        if (first is < 1 or > ushort.MaxValue || last is < 1 or > ushort.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(first), $"'{Text(first, last)}' is not between 1 and 65535.");
        }

        if (first > last)
        {
            throw new ArgumentOutOfRangeException(nameof(first), $"'{Text(first, last)}' ends before it begins.");
        }

        (First, Last) = (first, last);
    }

    /// <summary>Reads <c>8080</c> or <c>9000-9010</c>.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public PortRange(string text)
        : this(Part(text, 0), Part(text, 1))
    {
    }

    /// <summary>The lowest port.</summary>
    public int First { get; }

    /// <summary>The highest port.</summary>
    public int Last { get; }

    /// <summary>Whether a port lies in the range.</summary>
    public bool Contains(int port) => port >= First && port <= Last;

    /// <summary>The range as the agent reads it.</summary>
    public override string ToString() => Text(First, Last);

    /// <summary>Reads <c>8080</c> or <c>9000-9010</c>.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static PortRange Parse(string text) => new(text);

    private static string Text(int first, int last) =>
        first == last ? first.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{first}-{last}");

    private static int Part(string text, int index)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('-');
        return parts.Length <= 2
            && int.TryParse(parts[Math.Min(index, parts.Length - 1)].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : throw new ArgumentException($"'{text}' is neither a port such as 8080 nor a range such as 9000-9010.", nameof(text));
    }
}
