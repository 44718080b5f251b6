using System.Diagnostics;

namespace Beyla.Benchmarks;

/// <summary>The agent beside a load: started, waited for until it traces, stopped.</summary>
internal static class Agent
{
    /// <summary>Starts the agent on a port with its text printer into /dev/null.</summary>
    /// <returns>The running agent and the time from the start to the log line that says that it traces.</returns>
    public static (ChildProcess Process, TimeSpan Start) Trace(int port, IReadOnlyDictionary<string, string>? more = null)
    {
        var environment = new Dictionary<string, string>(more ?? new Dictionary<string, string>())
        {
            ["BEYLA_OPEN_PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        environment.TryAdd("BEYLA_TRACE_PRINTER", "text");
        using var tracing = new ManualResetEventSlim();
        var log = new List<string>();
        long ready = 0;
        var started = Stopwatch.GetTimestamp();
        var process = ChildProcess.Start(BenchmarkOptions.AgentPath, [], environment, line =>
        {
            lock (log)
            {
                log.Add(line);
            }

            if (line.Contains("Beyla is tracing", StringComparison.Ordinal) && Interlocked.Exchange(ref ready, Stopwatch.GetTimestamp()) == 0)
            {
                tracing.Set();
            }
        });
        if (!tracing.Wait(TimeSpan.FromSeconds(20)))
        {
            process.Dispose();
            throw new InvalidOperationException("the agent does not trace:\n" + string.Join('\n', log));
        }

        return (process, Stopwatch.GetElapsedTime(started, ready));
    }
}
