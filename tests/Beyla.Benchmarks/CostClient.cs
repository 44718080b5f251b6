using System.Diagnostics;
using System.Globalization;

namespace Beyla.Benchmarks;

/// <summary>tests/native/cost.c: sends requests at a fixed rate, and says what CPU time processes have used for each.</summary>
internal sealed class CostClient
{
    private readonly string program = Path.GetFullPath("out/cost-client");

    /// <summary>Builds it.</summary>
    public CostClient()
    {
        using var compiler = Process.Start("gcc", ["-O1", "-static", "-s", "-o", program, "tests/native/cost.c"]);
        compiler.WaitForExit();
    }

    /// <summary>Sends requests in an open loop on 16 connections.</summary>
    /// <param name="port">Of a server on this host.</param>
    /// <param name="perSecond">Requests a second.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="server">The process that serves.</param>
    /// <param name="agent">The agent, or null.</param>
    /// <returns>CPU time per request in microseconds, and the requests a second that were responded to.</returns>
    /// <exception cref="InvalidOperationException">It did not get what it asked for.</exception>
    public (Cost Cost, double Rate) Measure(int port, int perSecond, int seconds, int server, ChildProcess? agent)
    {
        List<string> arguments = ["rate", Text(port), Text((long)perSecond * seconds), Text(server), "@" + Text(perSecond)];
        if (agent is not null)
        {
            arguments.Insert(4, agent.Worker is { } worker ? $"{agent.Id}+{worker}" : Text(agent.Id));
        }

        using var run = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var told = run.StandardOutput.ReadToEnd();
        run.WaitForExit();
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"tests/native/cost.c ended with {run.ExitCode}, its reason stands above");
        }

        var numbers = told.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return (new(numbers[1] / 1e3, numbers[0] / 1e3, agent is null ? 0 : numbers[2] / 1e3), numbers[^1]);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
