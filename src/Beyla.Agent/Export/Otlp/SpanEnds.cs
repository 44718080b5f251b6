using Beyla.Agent.Kernel;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Attributes that say who spoke with whom, which the stream has in its envelope: server.address and server.port (of HTTP as the request
/// names them, else the socket's), client.address of a server's span, network.peer.address and .port, url.scheme, url.full of a client's
/// (semantic conventions, "HTTP spans", "Database client spans"). How a parent was found is <c>beyla.parent.source</c>. One thread.
/// </summary>
/// <param name="limit">Longest text of an attribute in characters; what is longer is cut.</param>
internal sealed class SpanEnds(int limit)
{
    private static readonly byte[] ServerAddress = Name("server.address"), ServerPort = Name("server.port"),
        ClientAddress = Name("client.address"), PeerAddress = Name("network.peer.address"), PeerPort = Name("network.peer.port"),
        Scheme = Name("url.scheme"), Url = Name("url.full"), Source = Name("beyla.parent.source");

    private readonly byte[] scratch = new byte[32 * 1024];

    /// <summary>Writes them as a field of the span's message.</summary>
    internal void Write(in SpanData span, ProtobufWriter writer, int field)
    {
        Span<byte> text = stackalloc byte[46];
        var isClient = span.Kind == SpanKind.Client;
        var isHttp = span.Protocol == ProtocolId.Http;
        Span<byte> socket = stackalloc byte[46];
        _ = span.ServerAddress.TryFormat(socket, out var written);
        var server = (ReadOnlySpan<byte>)socket[..written];
        var port = (int)span.ServerPort;
        var host = span.Values.Text(SpanAttribute.HttpRequestHeaderHost);
        if (isHttp && HostHeader.TrySplit(host, out var name, out var named))
        {
            server = name;
            port = named ?? 80;
        }
        else
        {
            host = default;
        }

        AttributeWriter.Text(writer, field, ServerAddress, AttributeWriter.Cut(server, limit));
        // Of a database the port is told only where it is not the usual one.
        if (port != 0 && !(span.Protocol == ProtocolId.Postgres && port == 5432) && !(span.Protocol == ProtocolId.Redis && port == 6379))
        {
            AttributeWriter.Number(writer, field, ServerPort, port);
        }

        var (peer, peerPort) = isClient ? (span.ServerAddress, span.ServerPort)
            : span.IsClientNamed ? (span.PeerAddress, span.PeerPort) : (span.ClientAddress, span.ClientPort);
        _ = peer.TryFormat(text, out written);
        AttributeWriter.Text(writer, field, PeerAddress, text[..written]);
        AttributeWriter.Number(writer, field, PeerPort, peerPort);
        if (!isClient)
        {
            _ = span.ClientAddress.TryFormat(text, out written);
            AttributeWriter.Text(writer, field, ClientAddress, text[..written]);
        }

        if (isHttp)
        {
            Http(in span, isClient, host.IsEmpty ? server : host, host.IsEmpty, host.IsEmpty ? port : 0, writer, field);
        }

        if (span.Context.ParentId != 0)
        {
            AttributeWriter.Text(writer, field, Source, StreamNames.Of(span.Context.Source));
        }
    }

    private static byte[] Name(string name) => AttributeWriter.Encode(name);

    private void Http(
        in SpanData span, bool isClient, ReadOnlySpan<byte> authority, bool isAddress, int port, ProtobufWriter writer, int field)
    {
        if (!isClient)
        {
            AttributeWriter.Text(writer, field, Scheme, "http"u8);
            return;
        }

        var line = new LineWriter(scratch);
        line.Write("http://"u8);
        if (isAddress && authority.Contains((byte)':'))
        {
            line.WriteByte((byte)'['); // RFC 3986 section 3.2.2
            line.Write(authority);
            line.WriteByte((byte)']');
        }
        else
        {
            line.Write(authority);
        }

        if (port is not (0 or 80))
        {
            line.WriteByte((byte)':');
            line.WriteNumber(port);
        }

        var path = span.Values.Text(SpanAttribute.UrlPath);
        line.Write(path.StartsWith("/"u8) ? path : default);
        if (span.Values.Has(SpanAttribute.UrlQuery))
        {
            line.WriteByte((byte)'?');
            line.Write(span.Values.Text(SpanAttribute.UrlQuery));
        }

        AttributeWriter.Text(writer, field, Url, AttributeWriter.Cut(line.Written, limit));
    }
}
