using Beyla.Agent.Capabilities;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Keeper;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>What the places of the agent have counted, written to the log.</summary>
/// <param name="places">The places, in pipeline order.</param>
/// <param name="keeper">Says which capabilities it holds.</param>
internal sealed class CounterReports(IReadOnlyList<ICounted> places, KeeperConnection keeper)
{
    /// <summary>The counters of this moment.</summary>
    public CountersReport Take() => CountersReport.Take(places);

    /// <summary>Writes the counters and the capabilities that are held: as a table, or as objects where the log is JSON.</summary>
    public void Write()
    {
        var report = Take();
        if (Log.Format == LogFormat.Text)
        {
            Log.WriteText($"{report.ToText()}capabilities: {keeper.Describe()}\nworker: {OfWorker()}\n");
            return;
        }

        // Whoever asked for JSON reads every line as an object.
        foreach (var place in report.Places)
        {
            Log.Report(
                "Counters", ("place", place.Place), ("unit", place.Unit), ("produced", place.Produced), ("emitted", place.Emitted),
                ("aggregated", place.Aggregated), ("filtered", place.Filtered), ("lost", place.Lost), ("held", place.Held),
                ("balanced", place.Balanced ? "yes" : "no"));
        }

        Log.Report("Capabilities", ("process", "keeper"), ("held", keeper.Describe()));
        Log.Report("Capabilities", ("process", "worker"), ("held", OfWorker()));
    }

    private static string OfWorker() =>
        $"{Privilege.Describe()} seccomp={(WorkerProcess.IsFiltered ? "yes" : "no")} landlock={Halves.LandlockVersion}";
}
