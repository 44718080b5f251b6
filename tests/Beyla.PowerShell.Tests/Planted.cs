using System.Diagnostics;
using System.Globalization;
using Beyla.PowerShell.Agent;

// The tests count the agents that this process runs.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Beyla.PowerShell.Tests;

/// <summary>Agents that the tests plant: shell scripts in a folder of their own.</summary>
public sealed class Planted : IDisposable
{
    public const string Header = """{"type":"stream","version":1,"agent":"0.1.0","pid":1,"start":"2026-01-02T03:04:05.000000Z"}""";

    private const string Span =
        """{"type":"span","kind":"server","start":"2026-01-02T03:04:05.%06dZ","durationUSec":%d"""
        + ""","method":"GET","path":"/%d","status":200,"pid":1}""";

    public string Folder { get; } = Directory.CreateTempSubdirectory("beyla-planted-").FullName;

    /// <summary>
    /// A script that runs <paramref name="body"/>; <c>header</c> prints the first line of a stream, <c>span N</c> a span, <c>stay</c> waits
    /// for the end of standard input.
    /// </summary>
    public string Agent(string body, string name = "beyla")
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, $$"""
            #!/bin/sh
            header() { printf '%s\n' '{{Header}}'; }
            span() { printf '{{Span}}\n' "$1" "$1" "$1"; }
            stay() { cat > /dev/null; }
            {{body}}

            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public AgentCommand Command(string body) => new(Agent(body));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Whether a process is there and not only waits to be collected.</summary>
    public static bool IsAlive(int id)
    {
        try
        {
            var state = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return state[state.LastIndexOf(')') + 2] != 'Z';
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>A sink that keeps what it gets.</summary>
internal sealed class Kept : IRunSink
{
    public List<object> Values { get; } = [];

    public List<string> Warnings { get; } = [];

    public List<string> Verboses { get; } = [];

    public List<string> Debugs { get; } = [];

    public List<AgentException> Problems { get; } = [];

    public List<AgentCounters> Counters { get; } = [];

    public int Steps { get; private set; }

    public Action<object>? OnValue { get; init; }

    public void Emit(object value)
    {
        Values.Add(value);
        OnValue?.Invoke(value);
    }

    public void Warn(string text) => Warnings.Add(text);

    public void Verbose(string text) => Verboses.Add(text);

    public void Debug(string text) => Debugs.Add(text);

    public void Report(AgentException problem) => Problems.Add(problem);

    public void Summary(AgentCounters counters) => Counters.Add(counters);

    public void Progress(TimeSpan elapsed, TimeSpan total, long count) => Steps++;
}

/// <summary>Runs the planted agent and says how long that took.</summary>
internal static class Timed
{
    public static TimeSpan Run(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed;
    }
}
