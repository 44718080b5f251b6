using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>
/// The agent under a load that goes on for minutes (--minutes, 10): requests on connections that stay and on new ones, and flows that come
/// and go. What it reported is compared with what was sent, and what it takes at the second minute with what it takes at the last one.
/// </summary>
internal static class SoakSuite
{
    /// <exception cref="InvalidOperationException">A request is missing: neither a span nor counted as lost.</exception>
    public static string Run(BenchmarkOptions options)
    {
        using var veth = new VethPair();
        using var nginx = new Nginx(800, VethPair.Far, veth.Prefix);
        using var agent = new SoakAgent(nginx.Port, veth.Near);
        // The agent sees what the interface carries from here on.
        var before = veth.Packets();
        var text = new StringBuilder()
            .AppendLine("## Soak")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"One agent for {options.Minutes} minutes: it traces nginx at the far end of a veth pair, and reports the flows of the "
                    + $"near end.")
            .AppendLine(SoakLoad.Description)
            .AppendLine()
            .AppendLine("| minute | requests | resident, MiB | anonymous, MiB | descriptors | threads | programs, maps | maps, KiB |")
            .AppendLine("|---|---|---|---|---|---|---|---|");
        long requests;
        using (var load = new SoakLoad(nginx.Port))
        {
            var started = Stopwatch.StartNew();
            for (var minute = 1; minute <= options.Minutes; minute++)
            {
                Thread.Sleep(TimeSpan.FromMinutes(minute) - started.Elapsed);
                var row = agent.Row(minute, load.Requests);
                Console.Error.WriteLine(row);
                text.AppendLine(row);
            }

            requests = load.Stop();
        }

        Thread.Sleep(1000);
        var packets = veth.Packets() - before;
        var left = agent.Entries();
        var counters = agent.Stop();
        var (spans, flowPackets) = (agent.Spans, agent.FlowPackets);
        var lost = counters.Lost("exchanges") + counters.Lost("spans") + counters.Lost("printer");
        text.AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"{requests:N0} requests: {spans:N0} spans, {lost:N0} counted as lost.")
            .AppendLine(CultureInfo.InvariantCulture,
                $"{packets:N0} packets of the interface (it counts those that are no IP as well): {flowPackets:N0} in {agent.Flows:N0} "
                    + $"reports of flows, {counters.Lost("interfaces"):N0} counted as lost.")
            .AppendLine($"Entries of the kernel's maps one second after the load: {left}.");
        if (spans + lost != requests)
        {
            Console.Error.WriteLine(counters.Text);
            throw new InvalidOperationException($"{requests} requests, {spans} spans, {lost} counted as lost.\n{text}");
        }

        return text.ToString();
    }
}
