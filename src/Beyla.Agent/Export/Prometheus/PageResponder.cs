using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>
/// Answers GET and HEAD of HTTP/1 with pages of metrics, on one thread that waits in poll(2), with few connections at once: nobody makes it
/// hold much, or wait for them.
/// </summary>
public sealed class PageResponder : IDisposable
{
    private readonly TcpSocket listener;
    private readonly IReadOnlyDictionary<string, IPage> pages;
    private readonly List<PageConnection> connections = [];
    private readonly PageBuffer page = new();
    private readonly GzipBuffer compressed = new();
    private readonly Thread thread;
    private volatile bool isOver;

    /// <summary>Begins to listen and to answer.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="pages">Pages by their paths.</param>
    /// <exception cref="KernelException">It cannot listen there.</exception>
    public PageResponder(ResponderOptions options, IReadOnlyDictionary<string, IPage> pages)
    {
        (Options, this.pages) = (options, pages);
        listener = TcpSocket.Listen(options.Address, options.Port, 2 * options.Connections);
        Port = listener.Port;
        thread = new Thread(Serve) { IsBackground = true, Name = "prometheus" };
        thread.Start();
    }

    /// <summary>The port on which it listens.</summary>
    public int Port { get; }

    /// <summary>Requests that were answered with a page. Any thread.</summary>
    public long Answered => Interlocked.Read(ref answered);

    internal ResponderOptions Options { get; }

    private long answered;

    /// <summary>Ends within half a second; answers that are under way are cut.</summary>
    public void Dispose()
    {
        isOver = true;
        thread.Join();
        listener.Dispose();
        page.Dispose();
        compressed.Dispose();
    }

    /// <summary>Writes the whole answer to a request.</summary>
    /// <param name="head">The head of the request; empty where it was too long.</param>
    /// <param name="answer">Takes it.</param>
    internal void Answer(ReadOnlySpan<byte> head, PageBuffer answer)
    {
        if (head.IsEmpty)
        {
            Refuse(answer, "431 Request Header Fields Too Large"u8);
        }
        else if (!RequestHead.TryParse(head, out var request))
        {
            Refuse(answer, "400 Bad Request"u8);
        }
        else if (!pages.TryGetValue(Encoding.UTF8.GetString(request.Path), out var found))
        {
            Refuse(answer, "404 Not Found"u8);
        }
        else if (!request.Method.SequenceEqual("GET"u8) && !request.Method.SequenceEqual("HEAD"u8))
        {
            Refuse(answer, "405 Method Not Allowed"u8, "Allow: GET, HEAD\r\n"u8);
        }
        else
        {
            Answer(in request, found, answer);
        }
    }

    private void Answer(in RequestHead request, IPage found, PageBuffer answer)
    {
        var format = Negotiation.Format(in request);
        page.Clear();
        found.Write(page, format);
        var body = page.Written;
        var isCompressed = Negotiation.TakesGzip(in request);
        if (isCompressed)
        {
            body = compressed.Pack(body).Span;
        }

        answer.Write("HTTP/1.1 200 OK\r\nContent-Type: "u8);
        answer.Write(format == PageFormat.OpenMetrics
            ? "application/openmetrics-text; version=1.0.0; charset=utf-8"u8 : "text/plain; version=0.0.4; charset=utf-8"u8);
        answer.Write("\r\nVary: Accept, Accept-Encoding\r\n"u8);
        answer.Write(isCompressed ? "Content-Encoding: gzip\r\n"u8 : default);
        Finish(answer, body, request.Method.SequenceEqual("HEAD"u8));
        Interlocked.Increment(ref answered);
    }

    private static void Refuse(PageBuffer answer, ReadOnlySpan<byte> status, ReadOnlySpan<byte> fields = default)
    {
        answer.Write("HTTP/1.1 "u8);
        answer.Write(status);
        answer.Write("\r\nContent-Type: text/plain; charset=utf-8\r\n"u8);
        answer.Write(fields);
        Finish(answer, status[4..], isHead: false);
    }

    private static void Finish(PageBuffer answer, ReadOnlySpan<byte> body, bool isHead)
    {
        answer.Write("Connection: close\r\nContent-Length: "u8);
        answer.Write(body.Length);
        answer.Write("\r\n\r\n"u8);
        answer.Write(isHead ? default : body);
    }

    private void Serve()
    {
        Span<PollDescriptor> wanted = new PollDescriptor[Options.Connections + 1];
        while (!isOver)
        {
            for (var i = 0; i < connections.Count; i++)
            {
                wanted[i + 1] = connections[i].Wanted;
            }

            // Those that find no room wait in the kernel.
            var isFull = connections.Count == Options.Connections;
            wanted[0] = new PollDescriptor { Descriptor = isFull ? -1 : listener.FileDescriptor, Events = Poll.In };
            _ = Poll.Wait(wanted[..(connections.Count + 1)], 250);
            var now = Environment.TickCount64;
            for (var i = connections.Count - 1; i >= 0; i--)
            {
                if (now >= connections[i].Deadline || (wanted[i + 1].Returned != 0 && !connections[i].Continue(now)))
                {
                    connections[i].Dispose();
                    connections.RemoveAt(i);
                }
            }

            if (wanted[0].Returned != 0 && listener.Accept() is { } taken)
            {
                connections.Add(new PageConnection(taken, this, now + (long)Options.RequestTime.TotalMilliseconds));
            }
        }

        foreach (var connection in connections)
        {
            connection.Dispose();
        }
    }
}
