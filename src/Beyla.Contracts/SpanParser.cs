using System.Globalization;
using System.Net;
using System.Text.Json;
using Beyla.Contracts;

namespace Beyla;

/// <summary>Reads a line of type <c>span</c>.</summary>
internal static class SpanParser
{
    /// <summary>In the order in which the agent writes them; behind them the fields that version 1 had for attributes.</summary>
    private enum Field
    {
        Type, Kind, Protocol, Name, Outcome, ErrorType, Start, HandlerStart, End, Duration, HandlerDuration, ClientAddress, ClientPort,
        ServerAddress, ServerPort, PeerAddress, PeerPort, Tid, NetworkNamespace, Connection, Pid, Executable, ServiceName,
        ServiceNamespace, Language, TraceId, SpanId, ParentId, ParentSource, TraceFlags, TraceState, Attributes, FirstOfVersion1,
    }

    /// <summary>In the order of <see cref="Field"/>.</summary>
    private static readonly byte[][] Fields = FieldReader.Table(
    [
        "type", "kind", "protocol", SpanAttributes.Of(SpanAttribute.Name).ShortName!, "outcome",
        SpanAttributes.Of(SpanAttribute.ErrorType).ShortName!, "start", "handlerStart", "end", "durationUSec", "handlerDurationUSec",
        "clientAddress", "clientPort", "serverAddress", "serverPort", "peerAddress", "peerPort", "tid", "networkNamespace", "connection",
        "pid", "executable", "serviceName", "serviceNamespace", "language", "traceId", "spanId", "parentId", "parentSource", "traceFlags",
        SpanAttributes.Of(SpanAttribute.TraceState).ShortName!, "attributes",
        .. AttributeParser.FieldNames,
    ]);

    /// <summary>
    /// The reader stands on the start of the object and is left on its end. The field that is missing or wrong is
    /// named when the answer is null.
    /// </summary>
    /// <param name="reader">The line.</param>
    /// <param name="cache">Texts that repeat.</param>
    /// <param name="attributes">Used for the time of the call.</param>
    /// <param name="wrong">The name of the field; null when all is well.</param>
    internal static Span? Parse(ref Utf8JsonReader reader, ValueCache cache, List<AttributeEntry> attributes, out string? wrong)
    {
        attributes.Clear();
        var kind = default(SpanKind);
        var outcome = SpanOutcome.Complete;
        var language = ProcessLanguage.Generic;
        string protocol = SpanProtocol.Http.Name, name = "", errorType = "", service = "", serviceNamespace = "", executable = "",
            trace = "", span = "", parent = "", state = "";
        var source = ParentSource.None;
        var flags = 0;
        var start = default(DateTimeOffset);
        TimeSpan? duration = null;
        TimeSpan? handlerDuration = null;
        IPAddress client = IPAddress.None, server = IPAddress.None;
        IPAddress? peer = null;
        int clientPort = 0, serverPort = 0, peerPort = 0, pid = 0, tid = 0;
        long networkNamespace = 0;
        var connection = 0UL;
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
                case Field.Name: good = FieldReader.Text(ref reader, cache, out name); break;
                case Field.ErrorType: good = FieldReader.Text(ref reader, cache, out errorType); break;
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
                case Field.TraceId: good = FieldReader.Identity(ref reader, out trace); break;
                case Field.SpanId: good = FieldReader.Identity(ref reader, out span); break;
                case Field.ParentId: good = FieldReader.Identity(ref reader, out parent); break;
                case Field.ParentSource:
                    good = reader.TokenType == JsonTokenType.String;
                    source = good ? StreamNames.SourceOf(reader.ValueSpan) : source;
                    break;
                case Field.TraceFlags: good = FieldReader.Number(ref reader, out flags); break;
                case Field.TraceState: good = FieldReader.Text(ref reader, cache, out state); break;
                case Field.Attributes:
                    wrong = AttributeParser.Read(ref reader, cache, attributes);
                    if (wrong is not null)
                    {
                        return null;
                    }

                    break;
                case >= Field.FirstOfVersion1:
                    good = AttributeParser.ReadField(ref reader, cache, field - (int)Field.FirstOfVersion1, attributes);
                    break;
                default: reader.Skip(); break; // unknown, or derived from others: handlerStart, end
            }

            if (!good)
            {
                wrong = System.Text.Encoding.UTF8.GetString(Fields[field]);
                return null;
            }
        }

        wrong = kind == default ? "kind" : start == default ? "start" : duration is null ? "durationUSec" : null;
        if (wrong is not null)
        {
            return null;
        }

        var set = attributes.Count == 0 ? AttributeSet.Empty : new AttributeSet([.. attributes]);
        return new Span
        {
            // Version 1 had no name; of HTTP without a route it is the method.
            Kind = kind, Protocol = protocol, Name = name.Length > 0 ? name : set.Text(SpanAttribute.HttpRequestMethod),
            Outcome = outcome, ErrorType = errorType, Start = start, Duration = duration!.Value,
            HandlerDuration = handlerDuration ?? duration.Value, Attributes = set, ClientAddress = client,
            ClientPort = clientPort, ServerAddress = server, ServerPort = serverPort, PeerAddress = peer, PeerPort = peerPort,
            ServiceName = service, ServiceNamespace = serviceNamespace, Language = language, ProcessId = pid, ThreadId = tid,
            Executable = executable, NetworkNamespace = networkNamespace, Connection = connection,
            TraceId = trace, SpanId = span, ParentId = parent, ParentSource = source, TraceFlags = flags, TraceState = state,
        };
    }

    /// <summary>Hexadecimal: a JSON number of 64 bits loses its last digits in most readers.</summary>
    private static bool TryConnection(ref Utf8JsonReader reader, out ulong connection)
    {
        connection = 0;
        return reader.TokenType == JsonTokenType.String
            && ulong.TryParse(reader.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out connection);
    }
}
