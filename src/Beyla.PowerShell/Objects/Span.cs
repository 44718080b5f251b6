using Beyla.PowerShell;

namespace Beyla;

/// <summary>
/// One request and its response, seen on one side of the conversation: what Start-BeylaTrace emits, whatever the protocol. Immutable.
/// What is here is what ConvertTo-Json writes, so each property is a text or a number that says the same everywhere (and Attributes a
/// table of those): names instead of numbers, addresses as text, times as UTC in ISO 8601 with microseconds. Beyla.Types.ps1xml puts times
/// and durations over the texts of the same name; the pipeline, Export-Csv, Export-Clixml and remoting see those.
/// </summary>
/// <param name="record">What the agent said (docs/stream.md), safe to show.</param>
public sealed class Span(Contracts.Span record)
{
    /// <summary>Server: the traced process served the request; Client: it made the request.</summary>
    public string Kind => Record.Kind.ToString();

    /// <summary>The protocol: http, postgresql, redis.</summary>
    public string Protocol => Record.Protocol;

    /// <summary>Name of the span, with few different values: <c>GET</c>, <c>SELECT users</c>, <c>HGET</c>.</summary>
    public string Name => Record.Name;

    /// <summary>How the exchange ended: Complete, Upgraded, Closed, TimedOut, Unfinished.</summary>
    public string Outcome => Record.Outcome.ToString();

    /// <summary>First byte of the request; in the pipeline a local DateTime.</summary>
    public string Start => Moment.Text(Record.Start);

    /// <summary>The head of the request was complete: from here on the handler could work; in the pipeline a local DateTime.</summary>
    public string HandlerStart => Moment.Text(Record.HandlerStart);

    /// <summary>Last byte of the response; in the pipeline a local DateTime.</summary>
    public string End => Moment.Text(Record.End);

    /// <summary>From Start to End; in the pipeline a TimeSpan.</summary>
    public string Duration => Record.Duration.ToString("c");

    /// <summary>From HandlerStart to End; in the pipeline a TimeSpan.</summary>
    public string HandlerDuration => Record.HandlerDuration.ToString("c");

    /// <summary>From Start to End in milliseconds: what to compare with a number, and to measure.</summary>
    public double DurationMs => Record.Duration.TotalMilliseconds;

    /// <summary>From HandlerStart to End in milliseconds.</summary>
    public double HandlerDurationMs => Record.HandlerDuration.TotalMilliseconds;

    /// <summary>What was asked for: the method, the first keyword of the statement, the command.</summary>
    public string Operation => Record.Operation;

    /// <summary>To what it was done: the path, the table, what follows the command; empty when unknown.</summary>
    public string Target => Record.Target;

    /// <summary>
    /// The result. Of HTTP the status code, a number: 0 when there was no response. Of other protocols the text of an error, such as
    /// <c>23505</c> or <c>WRONGTYPE</c>, and null without one: a text for success would be greater than 500, as PowerShell compares.
    /// </summary>
    public object? Status => Record.Protocol == SpanProtocol.Http.Name ? Record.StatusCode
        : Record.Status is { Length: > 0 } text ? text : null;

    /// <summary>Why the exchange failed, for all protocols: <c>500</c>, <c>23505</c>, <c>timeout</c>; empty where it did not.</summary>
    public string ErrorType => Record.ErrorType;

    /// <summary>Method of an HTTP request; empty for other protocols, as Path, Query and Host.</summary>
    public string Method => Record.Method;

    /// <summary>Path without query as on the wire; ends in … when it was cut.</summary>
    public string Path => Record.Path;

    /// <summary>Query without the question mark, sensitive values replaced by ***; empty when there was none.</summary>
    public string Query => Record.Query;

    /// <summary>Host header, or the authority of an absolute request target.</summary>
    public string Host => Record.Host;

    /// <summary>Version of the protocol in the request: 1.0, 1.1; null when the agent did not say.</summary>
    public string? ProtocolVersion => Record.ProtocolVersion is { Length: > 0 } version ? version : null;

    /// <summary>Path with a pattern or a wildcard for what varies; null when the agent did not say.</summary>
    public string? Route => Record.Route is { Length: > 0 } route ? route : null;

    /// <summary>Bytes of the body of an HTTP request; null when unknown.</summary>
    public long? RequestBodyLength => Record.RequestBodyLength;

    /// <summary>Bytes of the body of an HTTP response; null when unknown.</summary>
    public long? ResponseBodyLength => Record.ResponseBodyLength;

    /// <summary>All that the protocol says, by OpenTelemetry name: <c>$_.Attributes['db.query.text']</c>.</summary>
    public AttributeSet Attributes => Record.Attributes;

    /// <summary>The side that made the request.</summary>
    public string ClientAddress => Record.ClientAddress.ToString();

    /// <summary>Port of the side that made the request.</summary>
    public int ClientPort => Record.ClientPort;

    /// <summary>The side that served it.</summary>
    public string ServerAddress => Record.ServerAddress.ToString();

    /// <summary>Port of the side that served it.</summary>
    public int ServerPort => Record.ServerPort;

    /// <summary>
    /// Of a server span behind a proxy that names its client (PROXY protocol): the other end of the socket, which is
    /// the proxy; else null.
    /// </summary>
    public string? PeerAddress => Record.PeerAddress?.ToString();

    /// <summary>Port of PeerAddress; 0 where that is null.</summary>
    public int PeerPort => Record.PeerPort;

    /// <summary>Address of the traced process.</summary>
    public string LocalAddress => Record.LocalAddress.ToString();

    /// <summary>Port of the traced process.</summary>
    public int LocalPort => Record.LocalPort;

    /// <summary>Address of the side that the traced process talked to.</summary>
    public string RemoteAddress => Record.RemoteAddress.ToString();

    /// <summary>Port of the side that the traced process talked to.</summary>
    public int RemotePort => Record.RemotePort;

    /// <summary>Name of the traced service.</summary>
    public string ServiceName => Record.ServiceName;

    /// <summary>Namespace of the traced service; may be empty.</summary>
    public string ServiceNamespace => Record.ServiceNamespace;

    /// <summary>Language of the traced process: Go, Java, Dotnet, NodeJs, Python, Ruby, Php, Rust, Cpp, Generic.</summary>
    public string Language => Record.Language.ToString();

    /// <summary>The traced process, in the pid namespace of the host.</summary>
    public int ProcessId => Record.ProcessId;

    /// <summary>The thread that did the input or output.</summary>
    public int ThreadId => Record.ThreadId;

    /// <summary>File name of Executable.</summary>
    public string ProcessName => Record.ProcessName;

    /// <summary>Path of the executable as the process sees it; empty where it may not be read.</summary>
    public string Executable => Record.Executable;

    /// <summary>Inode of the network namespace of the socket.</summary>
    public long NetworkNamespace => Record.NetworkNamespace;

    /// <summary>Identity of the connection on this host, hexadecimal; spans with the same one used the same connection.</summary>
    public string Connection => Record.Connection.ToString("x");

    /// <summary>The trace that it is part of, 32 hexadecimal digits; empty when the agent gives none.</summary>
    public string TraceId => Record.TraceId;

    /// <summary>Identity of the span in its trace, 16 hexadecimal digits.</summary>
    public string SpanId => Record.SpanId;

    /// <summary>SpanId of the span that led to it; empty when that is not known.</summary>
    public string ParentId => Record.ParentId;

    /// <summary>
    /// How the parent is known: Header, Option, Thread, Goroutine, which are sure, or Agreement, which is probable; None where it is not.
    /// </summary>
    public string ParentSource => Record.ParentSource.ToString();

    /// <summary>Flags of the trace: 1 when it is sampled.</summary>
    public int TraceFlags => Record.TraceFlags;

    /// <summary>What other systems add to the trace context (tracestate); mostly empty.</summary>
    public string TraceState => Record.TraceState;

    /// <summary>The same values with their types of .NET.</summary>
    internal Contracts.Span Record { get; } = record;

    /// <summary>Kind, result, what was done to what, and duration, for messages.</summary>
    public override string ToString() => Record.ToString();
}
