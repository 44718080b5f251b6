using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export;

/// <summary>Writes the two ends of a span; the text depends on nothing but the ends, their side, and the process.</summary>
internal delegate void EndsWriter(in ExportedSpan span, ref LineWriter line);

/// <summary>
/// Keeps what a format makes of the two ends of a connection, so that addresses are written once and not per span. A fixed number of
/// entries; a connection that falls on the entry of another one replaces it. One thread.
/// </summary>
internal sealed class EndTexts(EndsWriter render)
{
    /// <summary>Longest text that is kept, bytes: two addresses and a name of usual length.</summary>
    private const int MaxText = 256;

    private const int EntryBits = 9;

    private readonly Entry[] entries = new Entry[1 << EntryBits];

    /// <summary>Writes the text of a span's ends.</summary>
    internal void Write(in ExportedSpan exported, ref LineWriter line)
    {
        ref readonly var span = ref exported.Span;
        ref var entry = ref entries[ConnectionPlace.Of(span.Connection, EntryBits)];
        if (entry.Text is not null && ReferenceEquals(entry.Process, exported.Process) && entry.Ports == PortsOf(in span)
            && entry.Client == span.ClientAddress && entry.Server == span.ServerAddress)
        {
            line.Write(entry.Text.AsSpan(0, entry.Length));
            return;
        }

        var start = line.Position;
        render(in exported, ref line);
        var text = line.Written[start..];
        if (span.IsClientNamed || text.Length > MaxText)
        {
            return;
        }

        entry.Text ??= new byte[MaxText];
        text.CopyTo(entry.Text);
        (entry.Process, entry.Length, entry.Ports) = (exported.Process, text.Length, PortsOf(in span));
        (entry.Client, entry.Server) = (span.ClientAddress, span.ServerAddress);
    }

    /// <summary>Both ports and the side; of a client that a proxy named, whose peer is shown too, no text is kept.</summary>
    private static ulong PortsOf(in SpanData span) =>
        ((ulong)span.ClientPort << 24) | ((ulong)span.ServerPort << 8) | ((ulong)span.Kind << 1) | (span.IsClientNamed ? 1u : 0);

    private struct Entry
    {
        public ProcessInfo? Process;
        public byte[]? Text;
        public int Length;
        public ulong Ports;
        public Address Client, Server;
    }
}
