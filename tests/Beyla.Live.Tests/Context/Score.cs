using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// What the agent said of the calls of a service, held against the truth: the id that a request and its calls have in their paths.
/// </summary>
internal sealed class Score
{
    private readonly List<string> wrong = [];
    private readonly List<string> broken = [];
    private readonly List<string> missing = [];

    /// <summary>Calls whose parent is the request that made them, found by a rule that does not guess.</summary>
    public int ExactRight { get; private set; }

    /// <summary>Calls that such a rule gave to another request, or to none that exists.</summary>
    public int ExactWrong { get; private set; }

    /// <summary>Calls whose parent is the request that made them, marked as a guess.</summary>
    public int ProbableRight { get; private set; }

    /// <summary>Calls that a guess gave to another request.</summary>
    public int ProbableWrong { get; private set; }

    /// <summary>Calls without a parent.</summary>
    public int None { get; private set; }

    public int Probable => ProbableRight + ProbableWrong;

    public int Calls => ExactRight + ExactWrong + Probable + None;

    /// <summary>Some of the wrong ones; for messages.</summary>
    public string Examples => string.Concat(
        this.missing.Take(8).Concat(this.wrong.Take(4)).Concat(this.broken.Take(2)).Select(line => $"    {line}\n"));

    /// <summary>Requests of which not exactly the spans that they must have were seen.</summary>
    public int Missing => this.missing.Count;

    /// <summary>
    /// Spans that have no ids or those of another, and requests whose trace or parent is not the one that came with them.
    /// </summary>
    public int Broken => this.broken.Count;

    /// <summary>Judges the spans of one measurement.</summary>
    /// <param name="spans">All spans, by the id in their path.</param>
    /// <param name="first">The id of the first request.</param>
    /// <param name="load">What was sent.</param>
    public static Score Of(ILookup<int, SpanRecord> spans, int first, LoadCase load)
    {
        Score score = new();
        Dictionary<string, (int Id, string Trace)> requests = new(StringComparer.Ordinal);
        for (int id = first; id < first + load.Requests; id++)
        {
            SpanRecord[] servers = [.. spans[id].Where(span => span.Kind == "server")];
            if (servers.Length != 1 || spans[id].Count() != 1 + load.CallsOfEach)
            {
                score.missing.Add($"{servers.Length} requests and {spans[id].Count() - servers.Length} calls of id {id}");
            }

            foreach (SpanRecord server in servers)
            {
                score.Check(server, requests.TryAdd(server.SpanId, (id, server.TraceId)) && (load.Traced
                    ? (server.TraceId, server.ParentId, server.ParentSource) == (Requests.TraceOf(id), Requests.ParentOf(id), "header")
                    : (server.ParentId, server.ParentSource) == ("", "")));
            }
        }

        for (int id = first; id < first + load.Requests; id++)
        {
            foreach (SpanRecord call in spans[id].Where(span => span.Kind == "client"))
            {
                score.Check(call, requests.TryAdd(call.SpanId, default));
                bool known = requests.TryGetValue(call.ParentId, out (int Id, string Trace) parent);
                score.Add(call, known && parent == (id, call.TraceId), known ? $"the parent is {parent}" : "no such parent");
            }
        }

        return score;
    }

    /// <summary>Adds up two of the same sort.</summary>
    public void Add(Score other)
    {
        ExactRight += other.ExactRight;
        ExactWrong += other.ExactWrong;
        ProbableRight += other.ProbableRight;
        ProbableWrong += other.ProbableWrong;
        None += other.None;
        this.wrong.AddRange(other.wrong);
        this.broken.AddRange(other.broken);
        this.missing.AddRange(other.missing);
    }

    /// <summary>All numbers; for messages.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"exact {ExactRight} right {ExactWrong} wrong, probable {ProbableRight} right {ProbableWrong} wrong, none {None}, "
            + $"missing {Missing}, broken {Broken}");

    private void Check(SpanRecord span, bool holds)
    {
        if (!holds || !IsHex(span.TraceId, 32) || !IsHex(span.SpanId, 16))
        {
            this.broken.Add($"ids of {Describe(span)}");
        }
    }

    private void Add(SpanRecord call, bool right, string parent)
    {
        if (call.ParentId.Length == 0 && call.ParentSource.Length == 0)
        {
            None++;
            return;
        }

        bool probable = call.ParentSource == "agreement";
        if (!probable && call.ParentSource is not ("header" or "option" or "thread" or "goroutine" or "connection"))
        {
            this.broken.Add($"source of {Describe(call)}");
        }

        (ExactRight, ExactWrong, ProbableRight, ProbableWrong) = (probable, right) switch
        {
            (false, true) => (ExactRight + 1, ExactWrong, ProbableRight, ProbableWrong),
            (false, false) => (ExactRight, ExactWrong + 1, ProbableRight, ProbableWrong),
            (true, true) => (ExactRight, ExactWrong, ProbableRight + 1, ProbableWrong),
            (true, false) => (ExactRight, ExactWrong, ProbableRight, ProbableWrong + 1),
        };
        if (!right)
        {
            this.wrong.Add($"{Describe(call)}: {parent}");
        }
    }

    private static string Describe(SpanRecord span) => string.Create(
        CultureInfo.InvariantCulture,
        $"{span.Kind} {span["url.path"]}{span.Query}, pid {span.Pid}, tid {span.Tid}, trace {span.TraceId}, span {span.SpanId}, "
            + $"parent {span.ParentId} by '{span.ParentSource}', {span.Start:mm:ss.ffffff} to {span.End:mm:ss.ffffff}");

    // Neither may be all zeros (https://www.w3.org/TR/trace-context/#traceparent-header-field-values).
    private static bool IsHex(string text, int length) =>
        text.Length == length && text.All(digit => digit is (>= '0' and <= '9') or (>= 'a' and <= 'f')) && text.Any(digit => digit != '0');
}
