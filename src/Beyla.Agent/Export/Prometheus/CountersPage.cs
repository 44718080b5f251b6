using System.Text;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>
/// What the agent's own stages have counted: everything that reached a place is in one of its outcomes, or still held there, so that
/// nothing is lost unseen.
/// </summary>
/// <param name="labels">Labels of the agent, <c>job="…",instance="…"</c>.</param>
internal sealed class CountersPage(byte[] labels) : IPage
{
    /// <summary>Takes the counters; null until all stages are there.</summary>
    public Func<IReadOnlyList<PlaceCounters>>? Source { get; set; }

    /// <summary>Pages that were answered.</summary>
    public Func<long>? Answered { get; set; }

    /// <inheritdoc/>
    public void Write(PageBuffer page, PageFormat format)
    {
        // Several parts of the agent may count for one place.
        var places = (Source?.Invoke() ?? []).GroupBy(static row => (row.Place, row.Unit)).ToList();
        Head(page, format, "beyla_pipeline_items", isCounter: true, "What became of what reached a place of the agent.");
        foreach (var place in places)
        {
            Row(page, "beyla_pipeline_items_total{"u8, place.Key, "emitted", place.Sum(static row => row.Emitted));
            Row(page, "beyla_pipeline_items_total{"u8, place.Key, "aggregated", place.Sum(static row => row.Aggregated));
            Row(page, "beyla_pipeline_items_total{"u8, place.Key, "filtered", place.Sum(static row => row.Filtered));
            Row(page, "beyla_pipeline_items_total{"u8, place.Key, "lost", place.Sum(static row => row.Lost));
        }

        Head(page, format, "beyla_pipeline_held", isCounter: false, "What is in a place of the agent at this moment.");
        foreach (var place in places)
        {
            Row(page, "beyla_pipeline_held{"u8, place.Key, null, place.Sum(static row => row.Held));
        }

        Head(page, format, "beyla_prometheus_http_requests", isCounter: true, "Pages of metrics that were read, this one not included.");
        page.Write("beyla_prometheus_http_requests_total{"u8);
        page.Write(labels);
        page.Write("} "u8);
        page.Write(Answered?.Invoke() ?? 0);
        page.Write("\n"u8);
        if (format == PageFormat.OpenMetrics)
        {
            page.Write("# EOF\n"u8);
        }
    }

    private static void Head(PageBuffer page, PageFormat format, string name, bool isCounter, string help)
    {
        var type = isCounter ? "counter" : "gauge";
        var plain = isCounter ? name + "_total" : name;
        page.Write(Encoding.UTF8.GetBytes(format == PageFormat.OpenMetrics
            ? $"# TYPE {name} {type}\n# HELP {name} {help}\n" : $"# HELP {plain} {help}\n# TYPE {plain} {type}\n"));
    }

    private void Row(PageBuffer page, ReadOnlySpan<byte> name, (string Place, string Unit) place, string? outcome, long count)
    {
        page.Write(name);
        page.Write(labels);
        page.Write(Encoding.UTF8.GetBytes($",place=\"{place.Place}\",unit=\"{place.Unit}\""));
        page.Write(Encoding.UTF8.GetBytes(outcome is null ? "} " : $",outcome=\"{outcome}\"}} "));
        page.Write(count);
        page.Write("\n"u8);
    }
}
