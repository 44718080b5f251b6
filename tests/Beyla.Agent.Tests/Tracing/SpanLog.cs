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
        var values = span.Values;
        var text = new StringBuilder();
        _ = text.Append(span.Kind).Append(' ').Append(span.Outcome).Append(' ').Append(Text(values, SpanAttribute.HttpRequestMethod))
            .Append(' ').Append(Text(values, SpanAttribute.UrlPath)).Append(values.Has(SpanAttribute.UrlQuery) ? "?" : "")
            .Append(Text(values, SpanAttribute.UrlQuery))
            .Append(" host=").Append(Text(values, SpanAttribute.HttpRequestHeaderHost))
            .Append(' ').Append(Text(values, SpanAttribute.NetworkProtocolVersion)).Append(' ')
            .Append(values.Number(SpanAttribute.HttpResponseStatusCode, 0)).Append(' ')
            .Append(values.Number(SpanAttribute.HttpRequestBodySize, -1)).Append('/')
            .Append(values.Number(SpanAttribute.HttpResponseBodySize, -1));
        Lines.Add(text.ToString());
        Times.Add((span.Start, span.HandlerStart, span.End));
        Tasks.Add((span.Pid, span.Tid));
        Proxies.Add(span.IsClientNamed ? $"{span.PeerAddress}:{span.PeerPort}" : "");
        Peers.Add(($"{span.ClientAddress}:{span.ClientPort}", $"{span.ServerAddress}:{span.ServerPort}"));
    }

    private static string Text(SpanValues values, SpanAttribute attribute) => Encoding.Latin1.GetString(values.Text(attribute));
}
