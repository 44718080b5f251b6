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

    [ContextTableFact]
    public async Task Write()
    {
        StringBuilder table = new();
        table.AppendLine(Begin).AppendLine(
            "| runtime | requests | under way | calls | exact, right | exact, wrong | probable, right | probable, wrong | none |")
            .AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (NestingService service in NestingService.All)
        {
            foreach (LoadCase load in Cases(service))
            {
                (_, Score score) = Assert.Single(
                    await services.MeasureAsync(load, one => one == service, "sockets", "tracing", "exchanges"));
                table.AppendLine(Row(service, load, score));
            }
        }

        table.AppendLine().AppendLine(Conditions()).Append(End);
        Replace(table.ToString());
    }

    private static IEnumerable<LoadCase> Cases(NestingService service)
    {
        foreach (Nesting nesting in service.IsProxy ? [Nesting.Plain] : Enum.GetValues<Nesting>())
        {
            yield return new LoadCase(nesting, 1, Requests: 200);
            yield return new LoadCase(nesting, 16);
            yield return new LoadCase(nesting, 64);
        }

        yield return new LoadCase(Nesting.Plain, 16, KeepAlive: false);
        if (service.CarriesTrace)
        {
            yield return new LoadCase(Nesting.Plain, 16, Traced: true);
        }
    }

    private static string Row(NestingService service, LoadCase load, Score score)
    {
        int[] counts = [score.ExactRight, score.ExactWrong, score.ProbableRight, score.ProbableWrong, score.None];
        IEnumerable<string> percents = counts.Select(
            count => count == 0 ? "0" : (100.0 * count / score.Calls).ToString("0.0", CultureInfo.InvariantCulture));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {service.Name} | {load.Describe()} | {load.Concurrency} | {score.Calls} | {string.Join(" | ", percents)} |");
    }

    private static string Conditions()
    {
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<sub>Percent of the calls. {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} CPUs, kernel {kernel}</sub>");
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
