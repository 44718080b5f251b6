using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>docs/benchmarks.md: one part per suite, between marks, so that a run of one suite leaves the others' figures alone.</summary>
internal static class BenchmarkDocument
{
    private const string Place = "docs/benchmarks.md";

    public static void Replace(string suite, string section)
    {
        var (begin, end) = ($"<!-- begin {suite} -->", $"<!-- end {suite} -->");
        var text = File.Exists(Place) ? File.ReadAllText(Place) : "# Benchmarks\n";
        var part = $"{begin}\n{section.TrimEnd()}\n\n{Conditions()}\n{end}";
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        var to = text.IndexOf(end, StringComparison.Ordinal);
        text = from >= 0 && to > from ? text[..from] + part + text[(to + end.Length)..] : $"{text.TrimEnd()}\n\n{part}\n";
        File.WriteAllText(Place, text, new UTF8Encoding(false));
    }

    /// <summary>Adds a row below the last one of a part that is only ever added to; makes the part when there is none.</summary>
    /// <param name="suite">The part's name.</param>
    /// <param name="heading">What stands above its rows, when it is made.</param>
    /// <param name="row">The row.</param>
    public static void Append(string suite, string heading, string row)
    {
        var (begin, end) = ($"<!-- begin {suite} -->", $"<!-- end {suite} -->");
        var text = File.ReadAllText(Place);
        var to = text.IndexOf(end, StringComparison.Ordinal);
        text = to >= 0 ? $"{text[..to]}{row}\n{text[to..]}" : $"{text.TrimEnd()}\n\n{begin}\n{heading.TrimEnd()}\n{row}\n{end}\n";
        File.WriteAllText(Place, text, new UTF8Encoding(false));
    }

    private static string Conditions()
    {
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var model = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim();
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<sub>{DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} CPUs ({model}), kernel {kernel}, "
                + $"load at the end {load}</sub>");
    }
}
