using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Formatting;

/// <summary>
/// What the views of the module (module/Beyla.Format.ps1xml) show of a value: short, with a unit, and safe for a terminal.
/// </summary>
public static class View
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>A duration with the unit that suits it: <c>350 µs</c>, <c>1.5 ms</c>, <c>2.31 s</c>.</summary>
    public static string Duration(TimeSpan duration) => duration.TotalMilliseconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMicroseconds:0} µs"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0.00} ms"),
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0} ms"),
        _ when duration.TotalSeconds < 100 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.00} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0} s"),
    };

    /// <summary>A number of bytes: <c>512 B</c>, <c>1.5 KiB</c>; empty when unknown.</summary>
    public static string Bytes(double? bytes)
    {
        if (bytes is not { } value)
        {
            return "";
        }

        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(unit == 0 || Math.Abs(value) >= 1000 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>Bytes per second; empty when there is no rate.</summary>
    public static string Rate(double? bytesPerSecond) => bytesPerSecond is null ? "" : Bytes(bytesPerSecond) + "/s";

    /// <summary>An address or a name and its port: <c>127.0.0.1:80</c>, <c>[::1]:80</c>; the first alone when there is no port.</summary>
    public static string Endpoint(string? name, int port) => EndOf.Text(name, port, int.MaxValue);

    /// <summary>As the other one, in so many columns: the middle of the address or name gives way, never the port.</summary>
    public static string Endpoint(string? name, int port, int columns) => EndOf.Text(name, port, columns);

    /// <summary>A time of day on this host's clock, with milliseconds.</summary>
    public static string Time(object? time) => Local(time)?.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A point in time on this host's clock, with microseconds.</summary>
    public static string DateTime(object? time) =>
        Local(time)?.ToString("yyyy-MM-dd HH:mm:ss.ffffff zzz", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A capability as the kernel spells it; also one that came as a number from another host.</summary>
    public static string Capability(object capability) => LanguagePrimitives.ConvertTo<Capability>(capability).Name();

    /// <summary>Text in lines that end between words, where a table alone would cut a word in two.</summary>
    /// <param name="text">What is shown; a word that is longer than a line is left to the table.</param>
    /// <param name="screen">Columns of the screen; 80 when that is unknown.</param>
    /// <param name="before">Columns that stand before the text.</param>
    public static string Words(string? text, int screen, int before)
    {
        var width = Math.Max((screen > 0 ? screen : 80) - before, 20);
        var lines = new StringBuilder();
        var used = 0;
        foreach (var word in Text(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var fits = used == 0 || used + 1 + word.Length <= width;
            lines.Append(used == 0 ? "" : fits ? " " : "\n").Append(word);
            used = used == 0 || !fits ? word.Length : used + 1 + word.Length;
        }

        return lines.ToString();
    }

    /// <summary>
    /// The result of an exchange in one word: its status; of a protocol that has one for errors only <c>OK</c>, or how the exchange ended
    /// where it did not complete.
    /// </summary>
    public static string Status(object? status, string? outcome) =>
        (status is PSObject wrapped ? wrapped.BaseObject : status) is { } value and not ""
            ? Text(System.Convert.ToString(value, CultureInfo.InvariantCulture))
            : outcome is null or nameof(SpanOutcome.Complete) ? "OK" : Text(outcome);

    /// <summary>Attributes of a span, one to a line: <c>db.namespace = shop</c>.</summary>
    public static string Attributes(object? attributes)
    {
        var lines = new List<string>();
        if ((attributes is PSObject wrapped ? wrapped.BaseObject : attributes) is IDictionary table)
        {
            foreach (DictionaryEntry entry in table)
            {
                lines.Add($"{Text($"{entry.Key}")} = {Text(System.Convert.ToString(entry.Value, CultureInfo.InvariantCulture))}");
            }
        }

        return string.Join('\n', lines);
    }

    /// <summary>One attribute of a span; empty where it has none of that name.</summary>
    public static string Attribute(object? attributes, string name) =>
        (attributes is PSObject wrapped ? wrapped.BaseObject : attributes) is IDictionary table
            ? Text(System.Convert.ToString(table[name], CultureInfo.InvariantCulture)) : "";

    /// <summary>Captured text, safe for a terminal.</summary>
    public static string Text(string? text) => Visible.Text(text);

    // What came from another host without the module's types is a DateTime all the same.
    private static DateTime? Local(object? time) => (time is PSObject wrapped ? wrapped.BaseObject : time) switch
    {
        System.DateTime moment => moment.ToLocalTime(),
        DateTimeOffset offset => offset.LocalDateTime,
        _ => null,
    };
}
