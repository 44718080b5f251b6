using System.Text;
using System.Text.Json;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Tests.Logging;

public sealed class LogTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 27, 17, 21, 20, 197, TimeSpan.FromHours(-6));

    [Fact]
    public void A_line_is_that_of_slog() =>
        Assert.Equal(
            "time=2026-01-27T17:21:20.197-06:00 level=WARN msg=\"Required system capabilities not present, Beyla may malfunction\" "
                + "error=\"the following capabilities are required: CAP_BPF\" n=5 none=<nil>",
            Log.Render(LogFormat.Text, Time, LogLevel.Warn, "Required system capabilities not present, Beyla may malfunction",
                [("error", "the following capabilities are required: CAP_BPF"), ("n", 5), ("none", null)]));

    /// <summary>The log of the verifier says at its end why, and is what level debug is for; nothing else may fill a disk.</summary>
    [Fact]
    public void A_long_value_is_whole_at_level_debug_alone()
    {
        var log = new string('x', 1_000_000) + "end";
        Assert.EndsWith("xend", Log.Render(LogFormat.Text, Time, LogLevel.Debug, "x", [("log", log)]));
        Assert.InRange(Log.Render(LogFormat.Text, Time, LogLevel.Info, "x", [("log", log)]).Length, 16_000, 17_000);
    }

    [Fact]
    public void Universal_time_ends_in_Z() =>
        Assert.StartsWith(
            "time=2026-01-27T23:21:20.197Z level=INFO msg=x", Log.Render(LogFormat.Text, Time.ToUniversalTime(), LogLevel.Info, "x", []));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "\"\"")]
    [InlineData("two words", "\"two words\"")]
    [InlineData("a=b", "\"a=b\"")]
    [InlineData("say \"hi\"", "\"say \\\"hi\\\"\"")]
    [InlineData("C:\\x", "C:\\x")]
    [InlineData("C:\\a b", "\"C:\\\\a b\"")]
    [InlineData("line\nbreak\r\t", "\"line\\nbreak\\r\\t\"")]
    [InlineData("\u001b[31mred", "\"\\x1b[31mred\"")]
    [InlineData("\u007f", "\"\\x7f\"")]
    [InlineData("\u0000", "\"\\x00\"")]
    [InlineData("\u009b31m", "\"\\u009b31m\"")]
    [InlineData("\u202eabc", "\"\\u202eabc\"")]
    [InlineData("a\u00a0b", "\"a\\u00a0b\"")]
    [InlineData("é😀", "é😀")]
    [InlineData("/path-1_2.x:3,[4]", "/path-1_2.x:3,[4]")]
    public void Values_are_quoted_as_in_Go(string value, string expected)
    {
        var line = new StringBuilder();
        LogText.Append(line, value);
        Assert.Equal(expected, line.ToString());
    }

    [Fact]
    public void Halves_of_surrogate_pairs_are_escaped() => Assert.Equal("\"a\\ud800\"", LogText.Quote("a\ud800"));

    [Fact]
    public void Json_is_one_object()
    {
        var line = Log.Render(LogFormat.Json, Time, LogLevel.Error, "two\nlines", [("error", "x\u001b"), ("none", null), ("n", -5)]);
        Assert.DoesNotContain(line, static character => char.IsControl(character));
        using var document = JsonDocument.Parse(line);
        Assert.Equal(["time", "level", "msg", "error", "none", "n"],
            document.RootElement.EnumerateObject().Select(static property => property.Name));
        Assert.Equal("2026-01-27T17:21:20.197-06:00", document.RootElement.GetProperty("time").GetString());
        Assert.Equal("ERROR", document.RootElement.GetProperty("level").GetString());
        Assert.Equal("two\nlines", document.RootElement.GetProperty("msg").GetString());
        Assert.Equal("x\u001b", document.RootElement.GetProperty("error").GetString());
        Assert.Equal(-5, document.RootElement.GetProperty("n").GetInt64());
    }

    [Fact]
    public void A_limiter_lets_one_through_and_counts_the_rest()
    {
        var limiter = new LogLimiter(TimeSpan.FromSeconds(10));
        Assert.Equal((true, 0), Pass("a", 0));
        Assert.Equal((false, 0), Pass("a", 1));
        Assert.Equal((false, 0), Pass("a", 9_999));
        Assert.Equal((true, 0), Pass("b", 9_999));
        Assert.Equal((true, 2), Pass("a", 10_000));
        Assert.Equal((true, 0), Pass("a", 20_000));
        for (var i = 0; i < 5_000; i++)
        {
            Pass("key" + i, 30_000);
        }

        Assert.Equal((false, 0), Pass("one more", 30_000));

        (bool, long) Pass(string key, long now) => (limiter.TryPass(key, now, out var suppressed), suppressed);
    }

    [Fact]
    public void Levels_formats_and_threads()
    {
        using var output = new MemoryStream();
        Log.Redirect(output);
        try
        {
            Log.Configure(LogLevel.Warn, LogFormat.Text);
            Assert.False(Log.IsEnabled(LogLevel.Info));
            Log.Debug("no");
            Log.Info("no");
            Parallel.For(0, 8, thread =>
            {
                for (var i = 0; i < 250; i++)
                {
                    Log.Error("message of a test", ("thread", thread), ("i", i));
                }
            });
            for (var i = 0; i < 10; i++)
            {
                Log.WarnLimited("LogTests", "limited line of a test");
            }
        }
        finally
        {
            Log.Configure(LogLevel.Info, LogFormat.Text);
            Log.Redirect(null);
        }

        // Other tests may log meanwhile: only lines of this one count.
        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        Assert.Equal(
            2_000, lines.Where(static line => line.Contains(" level=ERROR msg=\"message of a test\" thread=", StringComparison.Ordinal))
                .Distinct(new AfterTime()).Count());
        Assert.Single(lines, static line => line.Contains("limited line of a test", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, static line => line.Contains("msg=no", StringComparison.Ordinal));
    }

    private sealed class AfterTime : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => Rest(x!) == Rest(y!);

        public int GetHashCode(string line) => Rest(line).GetHashCode(StringComparison.Ordinal);

        private static string Rest(string line) => line[line.IndexOf(' ', StringComparison.Ordinal)..];
    }
}
