using System.Diagnostics;

namespace Beyla.Benchmarks;

/// <summary>The agent beside a load: started, waited for until it traces, stopped.</summary>
internal static class Agent
{
    /// <summary>Starts the agent on a port with its text printer into /dev/null.</summary>
    /// <param name="port">The port of the service to trace.</param>
    /// <param name="source">Where its events come from (ebpf.socket_source).</param>
    /// <returns>The running agent and the time from the start to the log line that says that it traces.</returns>
    public static (ChildProcess Process, TimeSpan Start) Trace(int port, string source = "auto") => Start(new()
    {
        ["BEYLA_BPF_SOCKET_SOURCE"] = source,
        ["BEYLA_OPEN_PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["BEYLA_TRACE_PRINTER"] = "text",
    }, BenchmarkOptions.AgentPath);

    /// <summary>The same, with context propagation.</summary>
    /// <param name="ports">The ports of the services to trace.</param>
    /// <param name="ways">How contexts are passed on (ebpf.context_propagation).</param>
    public static ChildProcess Propagate(string ports, string ways) => Start(
        new() { ["BEYLA_OPEN_PORT"] = ports, ["BEYLA_TRACE_PRINTER"] = "text", ["BEYLA_BPF_CONTEXT_PROPAGATION"] = ways },
        BenchmarkOptions.AgentPath).Process;

    /// <summary>Starts the agent on the flows of one interface, printed into /dev/null.</summary>
    /// <param name="networkInterface">The interface.</param>
    /// <param name="more">Further settings.</param>
    /// <param name="alone">Without CAP_PERFMON, so without the processes that flows belong to.</param>
    public static ChildProcess WatchFlows(string networkInterface, Dictionary<string, string> more, bool alone = false) => Start(
        new(more)
        {
            ["BEYLA_NETWORK_METRICS"] = "true",
            ["BEYLA_NETWORK_PRINT_FLOWS"] = "true",
            ["BEYLA_NETWORK_INTERFACES"] = networkInterface,
        },
        alone ? ["setpriv", "--bounding-set=-perfmon,-sys_admin", BenchmarkOptions.AgentPath] : [BenchmarkOptions.AgentPath]).Process;

    /// <summary>Starts the agent; its stream is to be read.</summary>
    /// <param name="settings">Its variables.</param>
    /// <param name="log">Gets the lines of its standard error.</param>
    public static (ChildProcess Process, StreamReader Output) Read(Dictionary<string, string> settings, List<string> log)
    {
        var (process, _) = Start(settings, log, isRead: true, BenchmarkOptions.AgentPath);
        return (process, process.Output);
    }

    private static (ChildProcess Process, TimeSpan Start) Start(Dictionary<string, string> environment, params string[] command) =>
        Start(environment, [], isRead: false, command);

    private static (ChildProcess Process, TimeSpan Start) Start(
        Dictionary<string, string> environment, List<string> log, bool isRead, params string[] command)
    {
        using var tracing = new ManualResetEventSlim();
        long ready = 0;
        var started = Stopwatch.GetTimestamp();
        var process = ChildProcess.Start(command[0], command[1..], environment, line =>
        {
            lock (log)
            {
                log.Add(line);
            }

            if (line.Contains("Beyla is tracing", StringComparison.Ordinal)
                && Interlocked.Exchange(ref ready, Stopwatch.GetTimestamp()) == 0)
            {
                tracing.Set();
            }
        }, isRead);
        if (!tracing.Wait(TimeSpan.FromSeconds(20)))
        {
            process.Dispose();
            throw new InvalidOperationException("the agent does not trace:\n" + string.Join('\n', log));
        }

        return (process, Stopwatch.GetElapsedTime(started, ready));
    }
}
