using System.Diagnostics;
using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>A page of metrics in Prometheus' text format, looked at by others.</summary>
internal static class MetricsPage
{
    /// <summary>
    /// What <c>promtool check metrics</c> says: status 0 and no words for a page in order, 3 for one that can be read and has faults, 1 for
    /// one that cannot. It reads the text format 0.0.4 alone.
    /// </summary>
    public static async Task<(int Status, string Words)> CheckAsync(string page)
    {
        using Process promtool = Process.Start(new ProcessStartInfo(Tool.Find("promtool"), ["check", "metrics"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        Task<string> output = promtool.StandardOutput.ReadToEndAsync();
        Task<string> errors = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(page);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, await output + await errors);
    }

    /// <summary>The series that are there more than once, which Prometheus takes without a word (the first value wins).</summary>
    public static IReadOnlyList<string> Duplicates(string page) =>
        [.. Series(page).GroupBy(series => series, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key)];

    /// <summary>Name and labels of each sample, as they stand there: no timestamps, no exemplars.</summary>
    public static IEnumerable<string> Series(string page) => page.Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(" # ")[0])
        .Select(line => line[..line.LastIndexOf(' ')]);

    /// <summary>The sum of the samples of a name that have all of the labels.</summary>
    public static double Sum(string page, string name, params string[] labels) => page.Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal)
            && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
}
