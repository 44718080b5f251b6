using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Spans;

/// <summary>Who spoke with whom, as server.address, server.port and network.peer.* name it (semantic conventions, "HTTP spans").</summary>
internal static class SpanSides
{
    /// <summary>Bytes that the text of any address needs.</summary>
    internal const int AddressLength = 46;

    /// <summary>The server: of HTTP as the request names it, else the socket's.</summary>
    /// <param name="span">The span.</param>
    /// <param name="room">For an address, <see cref="AddressLength"/> bytes.</param>
    /// <param name="port">Its port; 0 where there is none.</param>
    internal static ReadOnlySpan<byte> Server(in SpanData span, Span<byte> room, out int port)
    {
        if (span.Protocol == ProtocolId.Http
            && HostHeader.TrySplit(span.Values.Text(SpanAttribute.HttpRequestHeaderHost), out var name, out var named))
        {
            port = named ?? 80;
            return name;
        }

        _ = span.ServerAddress.TryFormat(room, out var written);
        port = span.ServerPort;
        return room[..written];
    }

    /// <summary>The other end of the socket, whatever a proxy or a request says.</summary>
    internal static (Address Address, ushort Port) Peer(in SpanData span) =>
        span.Kind == SpanKind.Client ? (span.ServerAddress, span.ServerPort)
        : span.IsClientNamed ? (span.PeerAddress, span.PeerPort) : (span.ClientAddress, span.ClientPort);
}
