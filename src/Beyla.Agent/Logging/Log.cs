using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Beyla.Agent.Logging;

/// <summary>How lines are written.</summary>
public enum LogFormat : byte
{
    /// <summary>logfmt, as Go's slog.TextHandler.</summary>
    Text,

    /// <summary>One JSON object per line, as Go's slog.JSONHandler.</summary>
    Json,
}

/// <summary>What a line says besides its message.</summary>
/// <param name="Key">The name: letters, digits, <c>.</c> and <c>_</c>.</param>
/// <param name="Value">The value; null becomes <c>&lt;nil&gt;</c>.</param>
/// <param name="IsNumber">The value is a whole number, which JSON writes without quotes.</param>
public readonly record struct LogField(string Key, string? Value, bool IsNumber = false)
{
    /// <summary>A field with a text.</summary>
    public static implicit operator LogField((string Key, string? Value) pair) => new(pair.Key, pair.Value);

    /// <summary>A field with a whole number.</summary>
    public static implicit operator LogField((string Key, long Value) pair) =>
        new(pair.Key, pair.Value.ToString(CultureInfo.InvariantCulture), IsNumber: true);

    /// <summary>The conversion by name, for languages without operators.</summary>
    public static LogField ToLogField((string Key, string? Value) pair) => pair;
}

/// <summary>
/// The agent's log: one line per event on standard error, as a whole or not at all, safe from any thread.
/// <c>time=2026-01-27T17:21:20.197-06:00 level=WARN msg="..." error="..."</c>
/// </summary>
/// <remarks>
/// Written at once and never queued: it holds only what is rare. What may come often goes through <see cref="WarnLimited"/>. A reader that
/// stands still holds nobody up: see <see cref="LogOutput"/>.
/// </remarks>
public static class Log
{
    private const int MaximumValueLength = 16 * 1024;

    // At level debug a value may be the whole log of the verifier, which says at its end what it objects to.
    private const int MaximumDebugLength = 4 << 20;

    private static readonly Lock Gate = new();
    private static readonly StringBuilder Line = new(512);
    private static readonly LogLimiter Limiter = new(TimeSpan.FromSeconds(10));
    private static readonly LogOutput StandardError = new(2);
    private static Stream? output;
    private static LogFormat format;
    private static LogLevel minimum = LogLevel.Info;

    /// <summary>How lines are written.</summary>
    public static LogFormat Format => format;

    /// <summary>Sets what is written from now on, and how.</summary>
    public static void Configure(LogLevel level, LogFormat lineFormat)
    {
        lock (Gate)
        {
            (minimum, format) = (level, lineFormat);
        }
    }

    /// <summary>Whether lines of this level are written: ask before a text is costly to make.</summary>
    public static bool IsEnabled(LogLevel level) => level >= minimum;

    /// <summary>Writes a line at level DEBUG, where that is enabled.</summary>
    public static void Debug(string message, params ReadOnlySpan<LogField> fields) => Write(LogLevel.Debug, message, fields);

    /// <summary>Writes a line at level INFO, where that is enabled.</summary>
    public static void Info(string message, params ReadOnlySpan<LogField> fields) => Write(LogLevel.Info, message, fields);

    /// <summary>Writes a line at level WARN, where that is enabled.</summary>
    public static void Warn(string message, params ReadOnlySpan<LogField> fields) => Write(LogLevel.Warn, message, fields);

    /// <summary>Writes a line at level ERROR, where that is enabled.</summary>
    public static void Error(string message, params ReadOnlySpan<LogField> fields) => Write(LogLevel.Error, message, fields);

    /// <summary>Writes what was asked for, such as counters: an INFO line at any level.</summary>
    public static void Report(string message, params ReadOnlySpan<LogField> fields) =>
        WriteText(Render(format, DateTimeOffset.Now, LogLevel.Info, message, fields) + "\n");

    /// <summary>
    /// Warns at most once in ten seconds for a key; the next line of that key says in <c>suppressed</c> how many were left out.
    /// </summary>
    /// <param name="key">What is limited: a fixed text of the program, not one made from input.</param>
    /// <param name="message">The message.</param>
    /// <param name="fields">What it says besides.</param>
    public static void WarnLimited(string key, string message, params ReadOnlySpan<LogField> fields)
    {
        if (!IsEnabled(LogLevel.Warn) || !Limiter.TryPass(key, Environment.TickCount64, out var suppressed))
        {
            return;
        }

        if (suppressed == 0)
        {
            Write(LogLevel.Warn, message, fields);
        }
        else
        {
            Write(LogLevel.Warn, message, [.. fields, ("suppressed", suppressed)]);
        }
    }

    /// <summary>Writes text that is no event, such as a table, where the lines go and never in the middle of one.</summary>
    /// <param name="text">Whole lines, safe for a terminal.</param>
    public static void WriteText(string text)
    {
        lock (Gate)
        {
            Put(Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Sends lines elsewhere, for tests; null is standard error.</summary>
    internal static void Redirect(Stream? stream)
    {
        lock (Gate)
        {
            output = stream;
        }
    }

    /// <summary>Makes one line, without the line break.</summary>
    internal static string Render(LogFormat lineFormat, DateTimeOffset time, LogLevel level, string message, ReadOnlySpan<LogField> fields)
    {
        var line = new StringBuilder(256);
        AppendLine(line, lineFormat, time, level, message, fields);
        return line.ToString();
    }

    private static void Write(LogLevel level, string message, ReadOnlySpan<LogField> fields)
    {
        if (!IsEnabled(level))
        {
            return;
        }

        lock (Gate)
        {
            Line.Clear();
            AppendLine(Line, format, DateTimeOffset.Now, level, message, fields);
            Line.Append('\n');
            Put(Encoding.UTF8.GetBytes(Line.ToString()));
        }
    }

    private static void Put(ReadOnlySpan<byte> lines)
    {
        if (output is not null)
        {
            output.Write(lines);
            return;
        }

        var lost = StandardError.Lost;
        if (lost > 0 && StandardError.TryWrite(Encoding.UTF8.GetBytes(
            Render(
                format, DateTimeOffset.Now, LogLevel.Warn, "Lines of the log are lost: standard error could not be written",
                [("lines", lost)]) + "\n")))
        {
            StandardError.ForgetLost(lost);
        }

        if (!StandardError.TryWrite(lines))
        {
            StandardError.CountLost(lines);
        }
    }

    private static void AppendLine(
        StringBuilder line, LogFormat lineFormat, DateTimeOffset time, LogLevel level, string message, ReadOnlySpan<LogField> fields)
    {
        var stamp = time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture)
            + (time.Offset == TimeSpan.Zero ? "Z" : time.ToString("zzz", CultureInfo.InvariantCulture));
        if (lineFormat == LogFormat.Json)
        {
            AppendJson(line, stamp, level, message, fields);
            return;
        }

        line.Append("time=").Append(stamp).Append(" level=").Append(NameOf(level)).Append(" msg=");
        LogText.Append(line, Bounded(level, message));
        foreach (var field in fields)
        {
            line.Append(' ').Append(field.Key).Append('=');
            LogText.Append(line, Bounded(level, field.Value ?? "<nil>"));
        }
    }

    private static void AppendJson(StringBuilder line, string stamp, LogLevel level, string message, ReadOnlySpan<LogField> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("time", stamp);
            writer.WriteString("level", NameOf(level));
            writer.WriteString("msg", Bounded(level, message));
            foreach (var field in fields)
            {
                writer.WritePropertyName(field.Key);
                if (field.IsNumber)
                {
                    writer.WriteRawValue(field.Value!);
                }
                else
                {
                    writer.WriteStringValue(field.Value is null ? null : Bounded(level, field.Value));
                }
            }

            writer.WriteEndObject();
        }

        line.Append(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static string Bounded(LogLevel level, string text)
    {
        var maximum = level == LogLevel.Debug ? MaximumDebugLength : MaximumValueLength;
        return text.Length <= maximum ? text : text[..maximum] + "…";
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Debug => "DEBUG",
        LogLevel.Info => "INFO",
        LogLevel.Warn => "WARN",
        _ => "ERROR",
    };
}
