using Beyla.Agent.Capabilities;
using Beyla.Agent.Counting;
using Beyla.Agent.Export;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>What the places of the agent have counted, taken with the capability that this needs, and written to the log.</summary>
/// <param name="places">The places, in pipeline order.</param>
internal sealed class CounterReports(IReadOnlyList<ICounted> places)
{
    /// <summary>The counters of this moment.</summary>
    public CountersReport Take()
    {
        // Kernels before 5.19 let nobody without it read a map.
        using var raised = Privilege.Raise(Capability.Bpf);
        return CountersReport.Take(places);
    }

    /// <summary>Writes the counters and the capabilities that are held: as a table, or as objects where the log is JSON.</summary>
    public void Write()
    {
        var report = Take();
        if (Log.Format == LogFormat.Text)
        {
            Log.WriteText($"{report.ToText()}capabilities: {Privilege.Describe()}\n");
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

        Log.Report("Capabilities", ("held", Privilege.Describe()));
    }
}
