using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>What to run and for how long, and whether what the guests count becomes the record that CI holds costs against.</summary>
/// <param name="Minutes">How long the soak lasts.</param>
internal sealed record BenchmarkOptions(IReadOnlyList<string> Suites, int Rounds, int Seconds, bool Record = false, int Minutes = 10)
{
    /// <summary>The agent as it is published.</summary>
    public static string AgentPath { get; } = Path.GetFullPath("out/bin/beyla");

    public static BenchmarkOptions Parse(string[] args)
    {
        var suites = new List<string>();
        int rounds = 12, seconds = 2, minutes = 10;
        var record = false;
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--rounds":
                    rounds = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--seconds":
                    seconds = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--minutes":
                    minutes = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--record":
                    record = true;
                    break;
                default:
                    suites.Add(args[i]);
                    break;
            }
        }

        return new BenchmarkOptions(suites, rounds, seconds, record, minutes);
    }
}

/// <summary>The suites by name, in the order of the document.</summary>
internal static class Suites
{
    public static IReadOnlyList<(string Name, Func<BenchmarkOptions, string> Run)> All { get; } =
    [
        ("requests", RequestSuite.Run),
        ("cost", CostSuite.Run),
        ("propagation", PropagationSuite.Run),
        ("latency", LatencySuite.Run),
        ("start", StartSuite.Run),
        ("memory", MemorySuite.Run),
        ("programs", ProgramSuite.Run),
        ("flows", FlowSuite.Run),
        ("module", ModuleSuite.Run),
        ("flow-programs", FlowProgramSuite.Run),
        ("export", ExportSuite.Run),
        ("metrics", MetricSuite.Run),
    ];

    /// <summary>Suites that run only where they are named, since they take long.</summary>
    public static IReadOnlyList<(string Name, Func<BenchmarkOptions, string> Run)> Named { get; } = [("soak", SoakSuite.Run)];
}
