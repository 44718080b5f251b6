using System.Diagnostics;
using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>Instructions per request as tests/vm/cost.sh counts them: tests/vm/cost.tsv, or what was measured now.</summary>
internal sealed class CostFigures
{
    /// <summary>The record that CI holds costs against (tests/vm/judge-cost.sh).</summary>
    public const string RecordPlace = "tests/vm/cost.tsv";

    private readonly Dictionary<(string Kernel, string Source, string Shape, string State), Cost> rows = [];
    private readonly Dictionary<string, string> facts = [];

    private CostFigures(string place)
    {
        foreach (var line in File.ReadLines(place))
        {
            var cells = line.Split(line.StartsWith('#') ? ' ' : '\t');
            if (line.StartsWith('#'))
            {
                facts[cells[1]] = cells[2];
            }
            else if (cells[0] != "kernel")
            {
                rows[(Series(cells[0]), cells[1], cells[2], cells[3])] = new(Number(cells[4]), Number(cells[5]), Number(cells[6]));
                facts[$"kernel {Series(cells[0])}"] = cells[0];
            }
        }
    }

    /// <summary>What the figures depend on besides the agent, for people to read.</summary>
    public string Conditions => string.Join(
        ", ", facts.Where(fact => fact.Key is not ("date" or "version")).Select(fact => $"{fact.Key.Split(' ')[0]} {fact.Value}"));

    /// <summary>Day and version of the measurement.</summary>
    public string Label => $"{facts["date"]}, {facts["version"]}";

    /// <summary>The kernels, as major.minor.</summary>
    public IEnumerable<string> Kernels => rows.Keys.Select(key => key.Kernel).Distinct().OrderByDescending(kernel => kernel.Length);

    /// <summary>What one request costs.</summary>
    /// <exception cref="KeyNotFoundException">It was not measured.</exception>
    public Cost this[string kernel, string source, string shape, string state] =>
        rows[(kernel, state == "none" ? "-" : source, shape, state)];

    public static CostFigures? Recorded() => File.Exists(RecordPlace) ? new(RecordPlace) : null;

    /// <summary>Boots the guests.</summary>
    /// <param name="place">Where the figures go.</param>
    /// <param name="guest">What runs in them: a file in tests/vm.</param>
    /// <param name="kernels">Which ones; none: all.</param>
    public static CostFigures Measure(string place, string guest = "guest-cost", params string[] kernels)
    {
        var start = new ProcessStartInfo("bash", ["tests/vm/cost.sh", "--figures", place, .. kernels]) { RedirectStandardOutput = true };
        start.Environment["COST_GUEST"] = guest;
        using var guests = Process.Start(start)!;
        var told = guests.StandardOutput.ReadToEnd();
        guests.WaitForExit();
        if (guests.ExitCode != 0 || told.Contains("\nskip ", StringComparison.Ordinal)
            || told.StartsWith("skip ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"tests/vm/cost.sh did not measure all guests:\n{told}");
        }

        return new CostFigures(place);
    }

    private static string Series(string release) => string.Join('.', release.Split('.')[..2]);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>Per request, in instructions or in microseconds of CPU time.</summary>
internal readonly record struct Cost(double Server, double Client, double Agent)
{
    public double Sum => Server + Client + Agent;
}
