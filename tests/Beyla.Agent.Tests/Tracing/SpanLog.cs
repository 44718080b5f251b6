using System.Globalization;
using System.Text;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>Keeps spans as one line each, and the times apart.</summary>
internal sealed class SpanLog : ISpanSink
{
    public List<string> Lines { get; } = [];

    public List<(long Start, long Handler, long End)> Times { get; } = [];

    public List<(int Pid, int Tid)> Tasks { get; } = [];

    public List<(string Client, string Server)> Peers { get; } = [];

    /// <summary>The socket's other end where another client was named; else empty.</summary>
    public List<string> Proxies { get; } = [];

    public void OnSpan(in SpanData span)
    {
        var text = new StringBuilder();
        _ = text.Append(span.Kind).Append(' ').Append(span.Outcome).Append(' ').Append(Encoding.Latin1.GetString(span.Method)).Append(' ')
            .Append(Encoding.Latin1.GetString(span.Path)).Append(span.Query.IsEmpty ? "" : "?")
            .Append(Encoding.Latin1.GetString(span.Query))
            .Append(" host=").Append(Encoding.Latin1.GetString(span.Host))
            .Append(" 1.").Append(span.MinorVersion).Append(' ').Append(span.Status)
            .Append(CultureInfo.InvariantCulture, $" {span.RequestBodyLength}/{span.ResponseBodyLength}");
        Lines.Add(text.ToString());
        Times.Add((span.Start, span.HandlerStart, span.End));
        Tasks.Add((span.Pid, span.Tid));
        Proxies.Add(span.IsClientNamed ? $"{span.PeerAddress}:{span.PeerPort}" : "");
        Peers.Add(($"{span.ClientAddress}:{span.ClientPort}", $"{span.ServerAddress}:{span.ServerPort}"));
    }
}
