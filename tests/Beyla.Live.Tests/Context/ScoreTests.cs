using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Context;

/// <summary>The judge of the other tests, on spans made by hand: request 7 has span 1 of trace 1, request 8 span 2 of trace 2.</summary>
public sealed class ScoreTests
{
    [Theory]
    [InlineData(1, 1, "thread", "exact 1 right 0 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(1, 1, "header", "exact 1 right 0 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(1, 2, "thread", "exact 0 right 1 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(2, 2, "thread", "exact 0 right 1 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(1, 5, "goroutine", "exact 0 right 1 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(1, 1, "agreement", "exact 0 right 0 wrong, probable 1 right 0 wrong, none 0, missing 0, broken 0")]
    [InlineData(2, 2, "agreement", "exact 0 right 0 wrong, probable 0 right 1 wrong, none 0, missing 0, broken 0")]
    [InlineData(3, 0, "", "exact 0 right 0 wrong, probable 0 right 0 wrong, none 1, missing 0, broken 0")]
    [InlineData(0, 0, "", "exact 0 right 0 wrong, probable 0 right 0 wrong, none 1, missing 0, broken 1")]
    [InlineData(1, 1, "luck", "exact 1 right 0 wrong, probable 0 right 0 wrong, none 0, missing 0, broken 1")]
    public void One_call_of_request_7(int trace, int parent, string source, string expected)
    {
        string fields = parent == 0 ? "" : $@",""parentId"":""{parent:x16}"",""parentSource"":""{source}""";
        Assert.Equal(expected, Judge([Request(7, 1), Request(8, 2), Call(7, trace, 3, fields), Call(8, 9, 4, "")]));
    }

    [Fact]
    public void What_is_missing_or_twice_there()
    {
        Assert.Equal(
            "exact 0 right 0 wrong, probable 0 right 0 wrong, none 0, missing 1, broken 0",
            Judge([Request(7, 1), Request(8, 2), Call(8, 9, 4, "")]));
        Assert.Equal(
            "exact 0 right 0 wrong, probable 0 right 0 wrong, none 1, missing 1, broken 0",
            Judge([Request(7, 1), Request(7, 3), Request(8, 2), Call(7, 1, 5, ""), Call(8, 9, 4, "")]));
    }

    [Fact]
    public void A_request_has_the_trace_that_came_with_it()
    {
        string right = Request(7, 1, Requests.TraceOf(7), $@",""parentId"":""{Requests.ParentOf(7)}"",""parentSource"":""header""");
        string wrong = Request(7, 1, Requests.TraceOf(7), $@",""parentId"":""{Requests.ParentOf(8)}"",""parentSource"":""header""");
        LoadCase load = new(Nesting.Plain, 1, Traced: true, Requests: 1);
        Assert.Equal(0, Score.Of(Read([right]), 7, load).Broken);
        Assert.Equal(1, Score.Of(Read([wrong]), 7, load).Broken);
        Assert.Equal(1, Score.Of(Read([Request(7, 1)]), 7, load).Broken);
    }

    // The call of request 8 is there, has no parent, and is not counted in what is expected.
    private static string Judge(string[] lines)
    {
        Score score = Score.Of(Read(lines), 7, new LoadCase(Nesting.Plain, 1, Requests: 2));
        string text = score.ToString();
        return text.Replace($"none {score.None}", $"none {score.None - 1}", StringComparison.Ordinal);
    }

    private static ILookup<int, SpanRecord> Read(string[] lines) =>
        lines.Select(line => SpanRecord.Read(line)!).ToLookup(span => Requests.IdOf(span["url.path"]));

    private static string Request(int id, int span, string? trace = null, string more = "") =>
        Line("server", $"/in/{id}", trace ?? $"{span:x32}", span, more);

    private static string Call(int id, int trace, int span, string more) => Line("client", $"/out/{id}", $"{trace:x32}", span, more);

    private static string Line(string kind, string path, string trace, int span, string more) =>
        $@"{{""type"":""span"",""kind"":""{kind}"",""start"":""2026-01-01T00:00:00Z"",""end"":""2026-01-01T00:00:01Z"""
        + $@",""traceId"":""{trace}"",""spanId"":""{span:x16}""{more},""attributes"":{{""url.path"":""{path}""}}}}";
}
