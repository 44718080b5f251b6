namespace Beyla.Agent.Spans;

/// <summary>Takes finished spans. Called on the one tracing thread; must not block.</summary>
public interface ISpanSink
{
    /// <summary>A request begins to come in, whose span will follow.</summary>
    /// <param name="pid">The process that reads it; another one may go on with it, and is told then.</param>
    /// <param name="servedPort">The local port on which it came.</param>
    void OnOpen(int pid, int servedPort)
    {
    }

    /// <summary>Takes one finished span, which is valid only during the call.</summary>
    void OnSpan(in SpanData span);
}
