using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Attributes that say who spoke with whom, which the stream has in its envelope: server.address and server.port (of HTTP as the request
/// names them, else the socket's), client.address of a server's span, network.peer.address and .port, url.scheme, url.full of a client's
/// (semantic conventions, "HTTP spans", "Database client spans"). How a parent was found is <c>beyla.parent.source</c>. One thread.
/// </summary>
/// <remarks>Most follow from the connection and the Host header: their bytes are kept for some hundred connections.</remarks>
internal sealed class SpanEnds
{
    private const int EntryBits = 9, MaximumKept = 512, MaximumHost = 128;

    // Null where it is not sent.
    private readonly byte[]? serverAddress, serverPort, clientAddress, peerAddress, peerPort, scheme, url, source;
    private readonly int limit;
    private readonly Entry[] entries = new Entry[1 << EntryBits];
    private readonly byte[] scratch = new byte[32 * 1024];

    /// <param name="limit">Longest text of an attribute in characters; what is longer is cut.</param>
    /// <param name="selection">Which of them are sent.</param>
    internal SpanEnds(int limit, AttributeSelection selection)
    {
        this.limit = limit;
        byte[]? Name(string name) => selection.HasSpan(name, isDefault: true) ? AttributeWriter.Encode(name) : null;
        (serverAddress, serverPort, clientAddress) = (Name("server.address"), Name("server.port"), Name("client.address"));
        (peerAddress, peerPort, scheme) = (Name("network.peer.address"), Name("network.peer.port"), Name("url.scheme"));
        (url, source) = (Name("url.full"), Name("beyla.parent.source"));
    }

    /// <summary>Writes them as a field of the span's message.</summary>
    internal void Write(in SpanData span, ProtobufWriter writer, int field)
    {
        ref var entry = ref entries[ConnectionPlace.Of(span.Connection, EntryBits)];
        var host = span.Values.Text(SpanAttribute.HttpRequestHeaderHost);
        if (entry.Is(in span, host, field))
        {
            writer.Raw(entry.Bytes.AsSpan(0, entry.Length));
        }
        else
        {
            var start = writer.Length;
            Make(in span, writer, field);
            entry.Keep(in span, host, writer.Written[start..], field);
        }

        if (url is not null && span is { Protocol: ProtocolId.Http, Kind: SpanKind.Client })
        {
            WriteUrl(in span, host, writer, field);
        }

        if (span.Context.ParentId != 0)
        {
            Text(writer, field, source, StreamNames.Of(span.Context.Source));
        }
    }

    private static void Text(ProtobufWriter writer, int field, byte[]? name, ReadOnlySpan<byte> value)
    {
        if (name is not null)
        {
            AttributeWriter.Text(writer, field, name, value);
        }
    }

    private static void Number(ProtobufWriter writer, int field, byte[]? name, long value)
    {
        if (name is not null)
        {
            AttributeWriter.Number(writer, field, name, value);
        }
    }

    private void Make(in SpanData span, ProtobufWriter writer, int field)
    {
        Span<byte> text = stackalloc byte[SpanSides.AddressLength];
        var isHttp = span.Protocol == ProtocolId.Http;
        var server = SpanSides.Server(in span, text, out var port);
        Text(writer, field, serverAddress, AttributeWriter.Cut(server, limit));
        // Of a database the port is told only where it is not the usual one.
        if (port != 0 && !(span.Protocol == ProtocolId.Postgres && port == 5432) && !(span.Protocol == ProtocolId.Redis && port == 6379))
        {
            Number(writer, field, serverPort, port);
        }

        var (peer, atPort) = SpanSides.Peer(in span);
        _ = peer.TryFormat(text, out var written);
        Text(writer, field, peerAddress, text[..written]);
        Number(writer, field, peerPort, atPort);
        if (span.Kind == SpanKind.Client)
        {
            return;
        }

        _ = span.ClientAddress.TryFormat(text, out written);
        Text(writer, field, clientAddress, text[..written]);
        if (isHttp)
        {
            Text(writer, field, scheme, "http"u8);
        }
    }

    private void WriteUrl(in SpanData span, ReadOnlySpan<byte> host, ProtobufWriter writer, int field)
    {
        var line = new LineWriter(scratch);
        line.Write("http://"u8);
        if (HostHeader.TrySplit(host, out _, out _))
        {
            line.Write(host);
        }
        else
        {
            WriteAuthority(in span, ref line);
        }

        var path = span.Values.Text(SpanAttribute.UrlPath);
        line.Write(path.StartsWith("/"u8) ? path : default);
        if (span.Values.Has(SpanAttribute.UrlQuery))
        {
            line.WriteByte((byte)'?');
            line.Write(span.Values.Text(SpanAttribute.UrlQuery));
        }

        Text(writer, field, url, AttributeWriter.Cut(line.Written, limit));
    }

    /// <summary>The server's socket; an IPv6 address stands in brackets (RFC 3986 section 3.2.2).</summary>
    private static void WriteAuthority(in SpanData span, ref LineWriter line)
    {
        if (!span.ServerAddress.IsIPv4)
        {
            line.WriteByte((byte)'[');
        }

        line.Write(span.ServerAddress);
        if (!span.ServerAddress.IsIPv4)
        {
            line.WriteByte((byte)']');
        }

        if (span.ServerPort != 80)
        {
            line.WriteByte((byte)':');
            line.WriteNumber(span.ServerPort);
        }
    }

    private struct Entry
    {
        public byte[]? Bytes;
        public int Length;
        private int field, hostLength;
        private Address client, server;
        private ulong ports;
        private byte[]? host;

        public readonly bool Is(in SpanData span, ReadOnlySpan<byte> named, int number) =>
            Bytes is not null && field == number && ports == PortsOf(in span) && client == span.ClientAddress
            && server == span.ServerAddress && named.SequenceEqual(host.AsSpan(0, hostLength));

        /// <summary>Of a client that a proxy named, whose peer is told too, nothing is kept.</summary>
        public void Keep(in SpanData span, ReadOnlySpan<byte> named, ReadOnlySpan<byte> made, int number)
        {
            if (span.IsClientNamed || named.Length > MaximumHost || made.Length > MaximumKept)
            {
                return;
            }

            Bytes ??= new byte[MaximumKept];
            host ??= new byte[MaximumHost];
            made.CopyTo(Bytes);
            named.CopyTo(host);
            (Length, hostLength, field, ports) = (made.Length, named.Length, number, PortsOf(in span));
            (client, server) = (span.ClientAddress, span.ServerAddress);
        }

        private static ulong PortsOf(in SpanData span) => ((ulong)span.ClientPort << 32) | ((ulong)span.ServerPort << 16)
            | ((ulong)span.Protocol << 2) | ((ulong)span.Kind << 1) | (span.IsClientNamed ? 1u : 0);
    }
}
