using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export.Otlp;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Benchmarks;

/// <summary>What a span costs on its way to a receiver for OTLP: on the tracing thread, and in the whole process.</summary>
internal static class ExportSuite
{
    private const int SpansOfRound = 512 * 400, SpansOfBatch = 64, Services = 20, ManyServices = 100;

    public static string Run(BenchmarkOptions options)
    {
        using var receiver = new Receiver();
        var (copy, send, garbage) = (new Sample(), new Sample(), new Sample());
        _ = Round(receiver.Url, Services, SpansOfRound);
        for (var round = 0; round < options.Rounds; round++)
        {
            var (onThread, whole, allocated) = Round(receiver.Url, Services, SpansOfRound);
            copy.Add(onThread);
            send.Add(whole - onThread);
            garbage.Add(allocated);
        }

        var dead = MemoryWithDeadEndpoint();
        return new StringBuilder()
            .AppendLine("## Export")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture,
                $"CPU time of a server's span of HTTP from {Services} services, {options.Rounds} rounds of {SpansOfRound:N0}")
            .AppendLine("(compiled as it runs, not ahead of time; the receiver is another process):")
            .AppendLine()
            .AppendLine("| | microseconds |")
            .AppendLine("|---|---|")
            .AppendLine(CultureInfo.InvariantCulture, $"| on the tracing thread: the copy | {copy.Show("F3")} |")
            .AppendLine(CultureInfo.InvariantCulture,
                $"| on the threads of export: encode and send by http/protobuf (budget: 0.5) | {send.Show("F3")} |")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"Allocated: {garbage.Median:F1} bytes a span.")
            .AppendLine(CultureInfo.InvariantCulture,
                $"With {ManyServices} services and a dead endpoint, 2,000,000 spans hold {dead:F1} MiB (at most 24 MiB wait).")
            .ToString();
    }

    /// <summary>CPU microseconds of a span on the producing thread and in the whole process, and bytes allocated.</summary>
    private static (double Copy, double Whole, double Allocated) Round(Uri url, int services, int count)
    {
        var (thread, whole, allocated) = (ThreadTime.Now, Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(precise: true));
        var (sent, lost, used) = Send(url, services, count, thread);
        if (lost > 0 || sent != count)
        {
            throw new InvalidOperationException($"of {count} spans {sent} were sent and {lost} lost");
        }

        return (used / count, (Environment.CpuUsage.TotalTime - whole).TotalMicroseconds / count,
            (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / count);
    }

    private static (long Sent, long Lost, double Copied) Send(Uri url, int services, int count, TimeSpan thread)
    {
        var options = new TracesExport { Otlp = new OtlpConfiguration { Endpoint = url } };
        var resources = new ServiceResources(new HostIdentity("host", "host", "boot"), "1", static _ => 1);
        using var sender = new OtlpSender(new OtlpHttp(options.Otlp, OtlpSignal.Traces, "1"), options.Otlp, "traces", count);
        using var stage = new OtlpTraces(options, resources, sender, "1");
        using var relay = new SpanRelay([stage]);
        var processes = Processes(services);
        var values = Values();
        for (var i = 0; i < count; i++)
        {
            relay.OnSpan(Span(values, processes[i % services], i));
            if (i % SpansOfBatch == SpansOfBatch - 1)
            {
                relay.Flush();
                while (relay.Count().First().Held > 2_000 || sender.Count().Held > 8_000)
                {
                    Thread.Sleep(1); // a steady load, not more than there is room for
                }
            }
        }

        relay.Flush();
        var copied = (ThreadTime.Now - thread).TotalMicroseconds;
        relay.Stop(TimeSpan.FromSeconds(20));
        var (sent, lost, _) = sender.Count();
        return (sent, lost, copied);
    }

    private static double MemoryWithDeadEndpoint()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var options = new TracesExport { Otlp = new OtlpConfiguration { Endpoint = new Uri("http://127.0.0.1:9/v1/traces") } };
        var resources = new ServiceResources(new HostIdentity("host", "host", "boot"), "1", static _ => 1);
        using var sender = new OtlpSender(new OtlpHttp(options.Otlp, OtlpSignal.Traces, "1"), options.Otlp, "traces", options.QueueSize);
        using var stage = new OtlpTraces(options, resources, sender, "1");
        using var relay = new SpanRelay([stage]);
        var processes = Processes(ManyServices);
        var values = Values();
        for (var i = 0; i < 2_000_000; i++)
        {
            relay.OnSpan(Span(values, processes[i % ManyServices], i));
            if (i % SpansOfBatch == SpansOfBatch - 1)
            {
                relay.Flush();
            }
        }

        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(relay);
        return held / 1048576.0;
    }

    private static ProcessInfo[] Processes(int count) =>
        [.. Enumerable.Range(0, count).Select(static i => new ProcessInfo
        {
            Pid = 1000 + i, ServiceName = $"service-{i}", ServiceNamespace = "shop", Executable = "/usr/bin/service", StartTime = 1000 + i,
        })];

    private static SpanValues Values()
    {
        var values = new SpanValues();
        values.Add(SpanAttribute.Name, "GET"u8);
        values.Add(SpanAttribute.HttpRequestMethod, "GET"u8);
        values.Add(SpanAttribute.UrlPath, "/api/v1/products/12345"u8);
        values.Add(SpanAttribute.UrlQuery, "page=2&size=50"u8);
        values.Add(SpanAttribute.HttpResponseStatusCode, 200);
        values.Add(SpanAttribute.HttpRequestHeaderHost, "shop.example:8080"u8);
        values.Add(SpanAttribute.NetworkProtocolVersion, "1.1"u8);
        return values;
    }

    private static readonly Address Loopback = Address.From(IPAddress.Loopback);

    private static SpanData data;

    private static ExportedSpan Span(SpanValues values, ProcessInfo process, int number)
    {
        data = new SpanData
        {
            Protocol = ProtocolId.Http, Values = values, Kind = SpanKind.Server, Pid = process.Pid, Tid = process.Pid,
            Connection = (ulong)(number % 100), ClientAddress = Loopback, ClientPort = 40000,
            ServerAddress = Loopback, ServerPort = 8080,
            Context = new TraceContext { TraceHigh = 1, TraceLow = (ulong)number + 1, SpanId = (ulong)number + 1, Flags = 1 },
        };
        return new ExportedSpan(in data) { Process = process, Start = 1_700_000_000_000_000 + number, Duration = 1000 };
    }

    /// <summary>Takes requests and says that all is well: a process of its own, so that its work is not counted.</summary>
    private sealed class Receiver : IDisposable
    {
        private const string Program = """
            import http.server
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = 'HTTP/1.1'
                def do_POST(self):
                    self.rfile.read(int(self.headers['content-length']))
                    self.send_response(200); self.send_header('content-length', '0'); self.end_headers()
                def log_message(self, *a): pass
            import sys
            http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
            """;

        private readonly Process process;

        public Receiver()
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var port = ((IPEndPoint)free.LocalEndpoint).Port;
            free.Stop();
            Url = new Uri($"http://127.0.0.1:{port}/v1/traces");
            process = Process.Start("python3", ["-c", Program, port.ToString(CultureInfo.InvariantCulture)]);
            for (var tries = 0; tries < 100; tries++)
            {
                using var probe = new TcpClient();
                try
                {
                    probe.Connect(IPAddress.Loopback, port);
                    return;
                }
                catch (SocketException)
                {
                    Thread.Sleep(50);
                }
            }

            throw new InvalidOperationException("the receiver did not start");
        }

        public Uri Url { get; }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
