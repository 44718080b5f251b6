using System.Net;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Export;

/// <summary>
/// Spans and processes that the tests of this folder share. The wall clock is 2026-08-20 08:11:12 UTC at monotonic time zero.
/// </summary>
internal static class Samples
{
    internal const long BootTime = 1_787_213_472_000_000_000;

    internal static readonly ProcessInfo Web = new()
    {
        Pid = 4711, Executable = "/usr/bin/dotnet", ServiceName = "web", ServiceNamespace = "shop", Language = ProcessLanguage.Dotnet,
    };

    internal static readonly ProcessInfo Plain = new() { Pid = 12, Executable = "/usr/sbin/nginx", ServiceName = "nginx" };

    internal static readonly HashSet<string> Sensitive = ["token", "password", "X-Amz-Signature", "sig"];

    /// <summary>A client span over IPv4 with a body in the response, as in the example of the reference.</summary>
    internal static SpanData Client => new SpanData
    {
        Protocol = ProtocolId.Http, Kind = SpanKind.Client, Pid = 4711, Tid = 4712, NetworkNamespace = 4026531840, Connection = 0x1f2e3d,
        Start = 820_111_999, HandlerStart = 820_811_999, End = 822_011_999,
        Context = new TraceContext
        {
            TraceHigh = 0x4bf92f3577b34da6, TraceLow = 0xa3ce929d0e0e4736, SpanId = 0x00f067aa0ba902b7, ParentId = 0x53995c3f42cd8ad8,
            Source = ParentSource.Thread, Flags = TraceContext.Sampled,
        },
        ClientAddress = At("10.0.0.1"), ClientPort = 46876, ServerAddress = At("10.0.0.2"), ServerPort = 3040,
    }.With(SpanAttribute.Name, "GET").With(SpanAttribute.HttpRequestMethod, "GET").With(SpanAttribute.UrlPath, "/users")
        .With(SpanAttribute.UrlQuery, "id=7&token=abc").With(SpanAttribute.HttpRequestHeaderHost, "api:3040")
        .With(SpanAttribute.NetworkProtocolVersion, "1.1").With(SpanAttribute.HttpResponseStatusCode, 200)
        .With(SpanAttribute.HttpRequestBodySize, 0).With(SpanAttribute.HttpResponseBodySize, 222);

    /// <summary>A server span over IPv6 whose connection broke before a response; nothing is known of the lengths.</summary>
    internal static SpanData Broken => new SpanData
    {
        Protocol = ProtocolId.Http, Kind = SpanKind.Server, Outcome = SpanOutcome.Closed,
        Pid = 12, Tid = 12, NetworkNamespace = 4026532000, Connection = 5,
        Start = 1_000_000_000, HandlerStart = 1_000_000_000, End = 62_500_000_000,
        Context = new TraceContext { TraceHigh = 0x0af7651916cd43dd, TraceLow = 0x8448eb211c80319c, SpanId = 0x53995c3f42cd8ad8 },
        ClientAddress = At("2001:db8::1"), ClientPort = 50000, ServerAddress = At("::1"), ServerPort = 80,
    }.With(SpanAttribute.Name, "POST").With(SpanAttribute.ErrorType, "connection_closed").With(SpanAttribute.HttpRequestMethod, "POST")
        .With(SpanAttribute.UrlPath, "/upload file\u001b[31m").With(SpanAttribute.NetworkProtocolVersion, "1.0");

    /// <summary>A statement that hurt a constraint.</summary>
    internal static SpanData Postgres => (Client with { Protocol = ProtocolId.Postgres, ServerPort = 5432, Values = new() })
        .With(SpanAttribute.Name, "INSERT orders").With(SpanAttribute.ErrorType, "23505")
        .With(SpanAttribute.DbSystemName, "postgresql").With(SpanAttribute.DbNamespace, "shop")
        .With(SpanAttribute.DbQuerySummary, "INSERT orders").With(SpanAttribute.DbQueryText, "INSERT INTO orders VALUES ($1, ?)")
        .With(SpanAttribute.DbOperationName, "INSERT").With(SpanAttribute.DbCollectionName, "orders")
        .With(SpanAttribute.DbResponseStatusCode, "23505");

    /// <summary>A command that went well.</summary>
    internal static SpanData Redis => (Broken with
        {
            Protocol = ProtocolId.Redis, Outcome = SpanOutcome.Complete, ServerPort = 6379, End = 1_000_350_000, Values = new(),
        })
        .With(SpanAttribute.Name, "HGET").With(SpanAttribute.DbSystemName, "redis").With(SpanAttribute.DbNamespace, "0")
        .With(SpanAttribute.DbQueryText, "HGET basket:17 item").With(SpanAttribute.DbOperationName, "HGET");

    /// <summary>The span with one text changed; its values are its own.</summary>
    internal static SpanData With(this SpanData span, SpanAttribute attribute, ReadOnlySpan<byte> value)
    {
        var values = span.Values?.Copy() ?? new SpanValues();
        values.Add(attribute, value);
        return span with { Values = values };
    }

    /// <summary>The span with one text changed; its values are its own.</summary>
    internal static SpanData With(this SpanData span, SpanAttribute attribute, string value) =>
        span.With(attribute, Encoding.UTF8.GetBytes(value));

    /// <summary>The span with one number changed; its values are its own.</summary>
    internal static SpanData With(this SpanData span, SpanAttribute attribute, long value)
    {
        var values = span.Values?.Copy() ?? new SpanValues();
        values.Add(attribute, value);
        return span with { Values = values };
    }

    internal static Address At(string address) => Address.From(IPAddress.Parse(address));

    internal static WallClock Clock() => new(() => 0, () => BootTime);

    /// <summary>The line of one span, through the exporter with redaction.</summary>
    internal static string Format(ISpanFormat format, in SpanData span, params ProcessInfo[] processes)
    {
        var sink = new Capture(format);
        new SpanExporter(new Processes(processes.Length == 0 ? [Web, Plain] : processes), new Redactor(Sensitive), Clock(), sink)
            .OnSpan(in span);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(sink.Last);
    }

    internal sealed class Capture(ISpanFormat format) : IExportSink
    {
        private readonly byte[] buffer = new byte[SpanLimits.Line];
        private int length;

        internal ReadOnlySpan<byte> Last => buffer.AsSpan(0, length);

        public void OnSpan(in ExportedSpan span)
        {
            var line = new LineWriter(buffer);
            format.Write(in span, ref line);
            length = line.Position;
        }
    }

    internal sealed class Processes(params ProcessInfo[] known) : IProcessLookup
    {
        internal (int Pid, int ServedPort) Opened { get; private set; }

        /// <summary>The process that is being looked at.</summary>
        internal int Awaited { get; set; }

        /// <summary>What is known of it so far.</summary>
        internal ProcessInfo? Guessed { get; set; }

        public void Open(int pid, int servedPort) => Opened = (pid, servedPort);

        public bool IsAwaited(int pid) => pid == Awaited;

        public ProcessInfo? Guess(int pid) => Guessed;

        public ProcessInfo? Find(int pid)
        {
            if (pid == Awaited)
            {
                return null;
            }

            foreach (var process in known)
            {
                if (process.Pid == pid)
                {
                    return process;
                }
            }

            return null;
        }
    }
}
