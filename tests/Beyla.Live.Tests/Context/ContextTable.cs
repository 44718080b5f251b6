using System.Globalization;
using System.Text;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// The whole matrix of runtimes and loads, one at a time, as the table of docs/context.md. Asserts nothing: what must hold is in
/// <see cref="ParentTests"/>.
/// </summary>
public sealed class ContextTable(NestingServices services) : IClassFixture<NestingServices>
{
    private const string Begin = "<!-- begin parents -->";
    private const string End = "<!-- end parents -->";
    private static readonly int[] Concurrencies = [1, 16, 64];

    [ContextTableFact]
    public async Task Write()
    {
        StringBuilder table = new();
        table.AppendLine(Begin).AppendLine("| runtime | requests | under way | sure | sure, wrong | probable | probable, wrong | none |")
            .AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (NestingService service in NestingService.All)
        {
            foreach (LoadCase[] loads in Rows(service))
            {
                List<Score> scores = [];
                foreach (LoadCase load in loads)
                {
                    scores.Add(Assert.Single(
                        await services.MeasureAsync(load, one => one == service, "sockets", "tracing", "exchanges")).Score);
                }

                table.AppendLine(Row(service, loads, scores));
            }
        }

        table.AppendLine().AppendLine(Conditions()).Append(End);
        Replace(table.ToString());
    }

    private static IEnumerable<LoadCase[]> Rows(NestingService service)
    {
        foreach (Nesting nesting in service.IsProxy ? [Nesting.Plain] : Enum.GetValues<Nesting>())
        {
            yield return [.. Concurrencies.Select(count => new LoadCase(nesting, count, Requests: count == 1 ? 200 : 1000))];
        }

        yield return [new LoadCase(Nesting.Plain, 16, KeepAlive: false)];
        if (service.CarriesTrace)
        {
            yield return [new LoadCase(Nesting.Plain, 16, Traced: true)];
        }
    }

    private static string Row(NestingService service, LoadCase[] loads, List<Score> scores)
    {
        string Percents(Func<Score, int> count) => string.Join(" / ", scores.Select(score => count(score) is var number && number == 0
            ? "0" : (100.0 * number / score.Calls).ToString("0.#", CultureInfo.InvariantCulture)));
        string[] cells =
        [
            service.Name, loads[0].Describe(), string.Join(" / ", loads.Select(load => load.Concurrency)),
            Percents(score => score.ExactRight), Percents(score => score.ExactWrong),
            Percents(score => score.ProbableRight), Percents(score => score.ProbableWrong), Percents(score => score.None),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Conditions()
    {
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<sub>Percent of the calls of 1,000 requests (200 where one is under way at a time). {DateTime.UtcNow:yyyy-MM-dd}, "
                + $"{Environment.ProcessorCount} CPUs, kernel {kernel}</sub>");
    }

    private static void Replace(string part)
    {
        string place = Path.Combine(Repository.Root, "docs", "context.md");
        string text = File.Exists(place) ? File.ReadAllText(place) : "# Trace context\n";
        int from = text.IndexOf(Begin, StringComparison.Ordinal);
        int to = text.IndexOf(End, StringComparison.Ordinal);
        text = from >= 0 && to > from ? text[..from] + part + text[(to + End.Length)..] : $"{text.TrimEnd()}\n\n{part}\n";
        File.WriteAllText(place, text, new UTF8Encoding(false));
    }
}

/// <summary>Runs only when it is asked for (<c>./build.sh bench context</c>): it takes minutes and writes a document.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ContextTableFactAttribute : FactAttribute
{
    /// <summary>Set to 1 to write the table.</summary>
    public const string Variable = "BEYLA_CONTEXT_TABLE";

    public ContextTableFactAttribute() => Skip = LiveConditions.ReasonToSkip(NestingService.Needs)
        ?? (Environment.GetEnvironmentVariable(Variable) == "1" ? null : "writes docs/context.md: ./build.sh bench context");
}
