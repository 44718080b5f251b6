using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>What an agent answered that was asked one thing.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Log">What it said beside that.</param>
public sealed record AgentAnswer(int ExitCode, string Output, IReadOnlyList<string> Log);

/// <summary>Runs the agent for one answer: <c>beyla capability …</c>.</summary>
public static class AgentQuery
{
    private const int LongestAnswer = 1 << 24, LongestLog = 1 << 16;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs until the agent ends.</summary>
    /// <exception cref="AgentException">It cannot be started, was killed, said too much, or took longer than a minute.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    public static AgentAnswer Run(AgentCommand command, CancellationToken stop, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        using var process = AgentProcess.Start(command);
        var output = Task.Run(() => Read(process.Output, LongestAnswer), CancellationToken.None);
        var log = Task.Run(() => Read(process.Log, LongestLog), CancellationToken.None);
        if (!Task.WaitAll([output, log], (int)(limit ?? Limit).TotalMilliseconds, stop))
        {
            throw new AgentException(
                AgentFault.AgentSilent, $"The agent '{command.Path}' gave no answer within {(limit ?? Limit).TotalSeconds:0} s.",
                $"Run it by hand to see what it waits for: {command}", command.Path);
        }

        var lines = Visible.Lines(log.Result ?? "");
        var code = process.WaitForExit(AgentProcess.Grace);
        if (output.Result is null)
        {
            throw new AgentException(AgentFault.StreamInvalid, $"The agent '{command.Path}' answered with more than {LongestAnswer} bytes.",
                "Check with --version that it is the beyla agent of this module's version.", command.Path);
        }

        if (code is null or > 125)
        {
            var kept = new AgentLog();
            lines.ForEach(line => kept.Add(Encoding.UTF8.GetBytes(line)));
            throw AgentExit.Judge(command, process.Id, code, begun: false, asked: false, kept)!;
        }

        return new AgentAnswer(code.Value, output.Result, lines);
    }

    /// <summary>The text of a pipe to its end; null when there is more than allowed, which is read and thrown away.</summary>
    private static string? Read(Stream pipe, int limit)
    {
        var block = new byte[1 << 14];
        using var text = new MemoryStream();
        var fits = true;
        try
        {
            for (int read; (read = pipe.Read(block, 0, block.Length)) > 0;)
            {
                fits &= text.Length + read <= limit;
                if (fits)
                {
                    text.Write(block, 0, read);
                }
                else if (text.Length > 0)
                {
                    text.SetLength(0);
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The agent was ended: what it said until then counts.
        }

        return fits ? Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length) : null;
    }
}
