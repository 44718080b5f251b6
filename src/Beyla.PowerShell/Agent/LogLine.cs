using System.Text;

namespace Beyla.PowerShell.Agent;

/// <summary>One line of the agent's log: logfmt, <c>time=… level=WARN msg="…" error="…"</c>.</summary>
/// <param name="Level">How much it matters; a line that is not logfmt, such as a report or the trace of a crash,
/// counts as information.</param>
/// <param name="Message">The <c>msg</c>, or the whole line where there is none.</param>
/// <param name="Error">The <c>error</c>, or empty.</param>
/// <param name="Fields">The other keys and values, in the order of the line, without <c>time</c>.</param>
public sealed record LogLine(LogLevel Level, string Message, string Error, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    /// <summary>The key of a remedy, as a command for a shell where there is one.</summary>
    public const string Remedy = "fix";

    /// <summary>The key of what the line rests on.</summary>
    public const string Evidence = "evidence";

    private const int MaximumFields = 32;

    private const string Warning = "warning";

    // Their values are sentences: what happened, or what follows from it.
    private static readonly string[] Sentences = [Warning, "consequence"];

    // These are long, and alike on many lines; they are told apart from the line.
    private static readonly string[] Apart = [Remedy, Evidence];

    /// <summary>Whether the line is not logfmt.</summary>
    public bool IsPlain { get; init; }

    /// <summary>
    /// What makes two lines alike: the message, and the warning where the message only says where it comes from.
    /// Numbers in other fields do not count.
    /// </summary>
    public string Kind => Message + this[Warning];

    /// <summary>Message, error, consequence and the other fields in one sentence; without remedy and evidence.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder(Message);
            if (Error.Length > 0)
            {
                text.Append(": ").Append(Error);
            }

            foreach (var (_, value) in Fields.Where(f => Sentences.Contains(f.Key)))
            {
                text.Append(": ").Append(value);
            }

            foreach (var (key, value) in Fields.Where(f => !Sentences.Contains(f.Key) && !Apart.Contains(f.Key)))
            {
                text.Append(text.Length > 0 ? " " : "").Append(key).Append('=').Append(value);
            }

            return text.ToString();
        }
    }

    /// <summary>The value of <paramref name="key"/>, or empty.</summary>
    public string this[string key]
    {
        get
        {
            foreach (var field in Fields)
            {
                if (field.Key == key)
                {
                    return field.Value;
                }
            }

            return "";
        }
    }

    /// <summary>Reads one line. Anything is accepted; control characters are made visible.</summary>
    public static LogLine Parse(string line)
    {
        var fields = new List<KeyValuePair<string, string>>();
        string? message = null, error = null, level = null;
        var at = 0;
        while (at < line.Length && fields.Count < MaximumFields)
        {
            if (!TryReadField(line, ref at, out var key, out var value))
            {
                break;
            }

            switch (key)
            {
                case "msg": message = value; break;
                case "error": error = value; break;
                case "level": level = value; break;
                case "time": break;
                default: fields.Add(new(Visible.Text(key), value)); break;
            }
        }

        return level is null || message is null
            ? new LogLine(LogLevel.Info, Visible.Text(line.Trim()), "", []) { IsPlain = true }
            : new LogLine(LevelOf(level), message, error ?? "", fields);
    }

    private static LogLevel LevelOf(string level) => level switch
    {
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Info,
        "ERROR" => LogLevel.Error,
        _ => LogLevel.Warn,
    };

    private static bool TryReadField(string line, ref int at, out string key, out string value)
    {
        key = value = "";
        while (at < line.Length && line[at] == ' ')
        {
            at++;
        }

        var equals = line.IndexOf('=', at);
        if (equals <= at)
        {
            return false;
        }

        key = line[at..equals];
        if (key.Contains(' ', StringComparison.Ordinal))
        {
            return false;
        }

        at = equals + 1;
        value = at < line.Length && line[at] == '"' ? Quoted(line, ref at) : Bare(line, ref at);
        return true;
    }

    private static string Bare(string line, ref int at)
    {
        var end = line.IndexOf(' ', at);
        end = end < 0 ? line.Length : end;
        var value = line[at..end];
        at = end;
        return Visible.Text(value);
    }

    private static string Quoted(string line, ref int at)
    {
        var value = new StringBuilder();
        for (at++; at < line.Length && line[at] != '"'; at++)
        {
            if (line[at] != '\\' || at + 1 >= line.Length)
            {
                value.Append(line[at]);
                continue;
            }

            at++;
            value.Append(line[at] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', var other => other });
        }

        at = Math.Min(at + 1, line.Length);
        return Visible.Text(value.ToString());
    }
}
