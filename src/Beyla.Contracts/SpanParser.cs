using System.Globalization;
using System.Net;
using System.Text.Json;
using Beyla.Contracts;

namespace Beyla;

/// <summary>Reads a line of type <c>span</c>.</summary>
internal static class SpanParser
{
    private enum Field
    {
        Type, Kind, Protocol, Outcome, Start, HandlerStart, End, Duration, HandlerDuration, Method, Path, Query, Status, Host,
        ProtocolVersion, RequestBodyLength, ResponseBodyLength, ClientAddress, ClientPort, ServerAddress, ServerPort, PeerAddress,
        PeerPort, Tid, NetworkNamespace, Connection, Pid, Executable, ServiceName, ServiceNamespace, Language,
    }

    /// <summary>In the order of <see cref="Field"/>, which is the order in which the agent writes them.</summary>
    private static readonly byte[][] Fields = FieldReader.Table(
        "type", "kind", "protocol", "outcome", "start", "handlerStart", "end", "durationUSec", "handlerDurationUSec", "method", "path",
        "query", "status", "host", "protocolVersion", "requestBodyLength", "responseBodyLength", "clientAddress", "clientPort",
        "serverAddress", "serverPort", "peerAddress", "peerPort", "tid", "networkNamespace", "connection", "pid", "executable",
        "serviceName", "serviceNamespace", "language");

    private static readonly Version Version10 = new(1, 0), Version11 = new(1, 1);

    /// <summary>
    /// The reader stands on the start of the object and is left on its end. The field that is missing or wrong is
    /// named when the answer is null.
    /// </summary>
    internal static Span? Parse(ref Utf8JsonReader reader, ValueCache cache, out string? wrong)
    {
        var kind = default(SpanKind);
        var outcome = SpanOutcome.Complete;
        var language = ProcessLanguage.Generic;
        string protocol = "http", method = "", path = "", query = "", host = "", service = "", serviceNamespace = "", executable = "";
        var start = default(DateTimeOffset);
        TimeSpan? duration = null;
        TimeSpan? handlerDuration = null;
        IPAddress client = IPAddress.None, server = IPAddress.None;
        IPAddress? peer = null;
        int status = 0, clientPort = 0, serverPort = 0, peerPort = 0, pid = 0, tid = 0;
        long? requestBody = null, responseBody = null;
        long number = 0, networkNamespace = 0;
        var connection = 0UL;
        Version? version = null;
        var expected = 0;

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldReader.Find(ref reader, Fields, ref expected);
            _ = reader.Read();
            var good = true;
            switch ((Field)field)
            {
                case Field.Kind: good = reader.TokenType == JsonTokenType.String && StreamNames.TryKind(reader.ValueSpan, out kind); break;
                case Field.Protocol: good = FieldReader.Text(ref reader, cache, out protocol); break;
                case Field.Outcome:
                    good = reader.TokenType == JsonTokenType.String;
                    outcome = good ? StreamNames.Outcome(reader.ValueSpan) : outcome;
                    break;
                case Field.Start: good = FieldReader.Time(ref reader, out start); break;
                case Field.Duration:
                    good = FieldReader.Duration(ref reader, out var total);
                    duration = total;
                    break;
                case Field.HandlerDuration:
                    good = FieldReader.Duration(ref reader, out var handler);
                    handlerDuration = handler;
                    break;
                case Field.Method: good = FieldReader.Text(ref reader, cache, out method); break;
                case Field.Path: good = FieldReader.Text(ref reader, cache, out path); break;
                case Field.Query: good = FieldReader.Text(ref reader, cache, out query); break;
                case Field.Status: good = FieldReader.Number(ref reader, out status); break;
                case Field.Host: good = FieldReader.Text(ref reader, cache, out host); break;
                case Field.ProtocolVersion: good = TryVersion(ref reader, out version); break;
                case Field.RequestBodyLength:
                    good = FieldReader.Integer(ref reader, 0, long.MaxValue, out number);
                    requestBody = number;
                    break;
                case Field.ResponseBodyLength:
                    good = FieldReader.Integer(ref reader, 0, long.MaxValue, out number);
                    responseBody = number;
                    break;
                case Field.ClientAddress: good = FieldReader.Address(ref reader, cache, out client); break;
                case Field.ClientPort: good = FieldReader.Port(ref reader, out clientPort); break;
                case Field.ServerAddress: good = FieldReader.Address(ref reader, cache, out server); break;
                case Field.ServerPort: good = FieldReader.Port(ref reader, out serverPort); break;
                case Field.PeerAddress:
                    good = FieldReader.Address(ref reader, cache, out var named);
                    peer = named;
                    break;
                case Field.PeerPort: good = FieldReader.Port(ref reader, out peerPort); break;
                case Field.ServiceName: good = FieldReader.Text(ref reader, cache, out service); break;
                case Field.ServiceNamespace: good = FieldReader.Text(ref reader, cache, out serviceNamespace); break;
                case Field.Language:
                    good = reader.TokenType == JsonTokenType.String;
                    language = good ? StreamNames.Language(reader.ValueSpan) : language;
                    break;
                case Field.Pid: good = FieldReader.Number(ref reader, out pid); break;
                case Field.Tid: good = FieldReader.Number(ref reader, out tid); break;
                case Field.Executable: good = FieldReader.Text(ref reader, cache, out executable); break;
                case Field.NetworkNamespace: good = FieldReader.Integer(ref reader, 0, uint.MaxValue, out networkNamespace); break;
                case Field.Connection: good = TryConnection(ref reader, out connection); break;
                default: reader.Skip(); break; // unknown, or derived from others: handlerStart, end
            }

            if (!good)
            {
                wrong = System.Text.Encoding.UTF8.GetString(Fields[field]);
                return null;
            }
        }

        wrong = kind == default ? "kind" : start == default ? "start" : duration is null ? "durationUSec" : null;
        return wrong is not null ? null : new Span
        {
            Kind = kind, Protocol = protocol, Outcome = outcome, Start = start, Duration = duration!.Value,
            HandlerDuration = handlerDuration ?? duration.Value, Method = method, Path = path, Query = query, Status = status, Host = host,
            ProtocolVersion = version, RequestBodyLength = requestBody, ResponseBodyLength = responseBody, ClientAddress = client,
            ClientPort = clientPort, ServerAddress = server, ServerPort = serverPort, PeerAddress = peer, PeerPort = peerPort,
            ServiceName = service, ServiceNamespace = serviceNamespace, Language = language, ProcessId = pid, ThreadId = tid,
            Executable = executable, NetworkNamespace = networkNamespace, Connection = connection,
        };
    }

    private static bool TryVersion(ref Utf8JsonReader reader, out Version? version)
    {
        version = null;
        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        version = reader.ValueTextEquals("1.1"u8) ? Version11 : reader.ValueTextEquals("1.0"u8) ? Version10 : null;
        return version is not null || Version.TryParse(reader.GetString(), out version);
    }

    /// <summary>Hexadecimal: a JSON number of 64 bits loses its last digits in most readers.</summary>
    private static bool TryConnection(ref Utf8JsonReader reader, out ulong connection)
    {
        connection = 0;
        return reader.TokenType == JsonTokenType.String
            && ulong.TryParse(reader.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out connection);
    }
}
