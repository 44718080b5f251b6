using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>The end of an agent's log, kept to explain how the agent ended. Written by one thread, read by another.</summary>
public sealed class AgentLog
{
    private const int Kept = 20;

    private readonly Queue<LogLine> lines = new();
    private LogLine? firstPlain;

    /// <summary>Parses and keeps one line.</summary>
    /// <returns>The line; null when it is empty.</returns>
    public LogLine? Add(ReadOnlySpan<byte> text)
    {
        if (text.Trim(" \t\r"u8).IsEmpty)
        {
            return null;
        }

        var line = LogLine.Parse(Encoding.UTF8.GetString(text).TrimEnd('\r'));
        lock (lines)
        {
            firstPlain ??= line.IsPlain ? line : null;
            if (lines.Count == Kept)
            {
                lines.Dequeue();
            }

            lines.Enqueue(line);
        }

        return line;
    }

    /// <summary>
    /// What explains an end best: the last line with level ERROR, else the first that is no log line, where a crash begins, else the
    /// last of all; null when the agent said nothing.
    /// </summary>
    public LogLine? Explanation()
    {
        lock (lines)
        {
            return lines.LastOrDefault(line => line.Level == LogLevel.Error) ?? firstPlain ?? lines.LastOrDefault();
        }
    }

    /// <summary>The line that names the capabilities that are missing; null when there is none.</summary>
    public LogLine? MissingCapabilities()
    {
        lock (lines)
        {
            return lines.LastOrDefault(line => line.Error.Contains(AgentWords.Required, StringComparison.Ordinal));
        }
    }

    /// <summary>The first remedy that the agent names; null when there is none.</summary>
    public string? Fix()
    {
        lock (lines)
        {
            return lines.Select(line => line[LogLine.Remedy]).FirstOrDefault(fix => fix.Length > 0);
        }
    }
}
