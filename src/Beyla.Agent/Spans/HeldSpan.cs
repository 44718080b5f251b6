using System.Buffers;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Spans;

/// <summary>A copy of a span.</summary>
internal sealed class HeldSpan
{
    private readonly SpanKind kind;
    private readonly SpanOutcome outcome;
    private readonly int pid, tid, status, method, path, query, host;
    private readonly uint networkNamespace;
    private readonly ulong connection;
    private readonly long start, handlerStart, end, requestBody, responseBody;
    private readonly Address client, server, peer;
    private readonly ushort clientPort, serverPort, peerPort;
    private readonly bool isClientNamed;
    private readonly byte minorVersion;
    private readonly byte[] texts;

    /// <summary>Copies the span and the bytes that it points to into a rented buffer; <see cref="Return"/> gives that back.</summary>
    internal HeldSpan(in SpanData span)
    {
        (kind, outcome, pid, tid, status) = (span.Kind, span.Outcome, span.Pid, span.Tid, span.Status);
        (networkNamespace, connection, minorVersion) = (span.NetworkNamespace, span.Connection, span.MinorVersion);
        (start, handlerStart, end) = (span.Start, span.HandlerStart, span.End);
        (client, clientPort, server, serverPort) = (span.ClientAddress, span.ClientPort, span.ServerAddress, span.ServerPort);
        (isClientNamed, peer, peerPort) = (span.IsClientNamed, span.PeerAddress, span.PeerPort);
        (requestBody, responseBody) = (span.RequestBodyLength, span.ResponseBodyLength);
        (method, path, query, host) = (span.Method.Length, span.Path.Length, span.Query.Length, span.Host.Length);
        texts = ArrayPool<byte>.Shared.Rent(method + path + query + host);
        span.Method.CopyTo(texts);
        span.Path.CopyTo(texts.AsSpan(method));
        span.Query.CopyTo(texts.AsSpan(method + path));
        span.Host.CopyTo(texts.AsSpan(method + path + query));
    }

    /// <summary>The span as it was; until <see cref="Return"/>.</summary>
    internal SpanData Span => new()
    {
        Kind = kind, Outcome = outcome, Pid = pid, Tid = tid, NetworkNamespace = networkNamespace, Connection = connection,
        Start = start, HandlerStart = handlerStart, End = end,
        ClientAddress = client, ClientPort = clientPort, ServerAddress = server, ServerPort = serverPort,
        IsClientNamed = isClientNamed, PeerAddress = peer, PeerPort = peerPort,
        Method = texts.AsSpan(0, method), Path = texts.AsSpan(method, path), Query = texts.AsSpan(method + path, query),
        Host = texts.AsSpan(method + path + query, host),
        MinorVersion = minorVersion, Status = status, RequestBodyLength = requestBody, ResponseBodyLength = responseBody,
    };

    /// <summary>Gives the buffer back; <see cref="Span"/> is not valid any more.</summary>
    internal void Return() => ArrayPool<byte>.Shared.Return(texts);
}
