using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Records of the watcher's ring.</summary>
public sealed class ProcessEventReaderTests
{
    private static readonly int Whole = Unsafe.SizeOf<ProcessEvent>();

    [Fact]
    public void A_record_cut_at_any_length_is_counted_as_lost_and_handed_to_nobody()
    {
        Sink sink = new();
        ProcessEventReader reader = new(sink);
        var record = RecordOf(pid: 42);
        for (var length = 0; length < Whole; length++)
        {
            reader.OnRecord(record.AsSpan(0, length));
            var counters = Assert.Single(reader.Count());
            Assert.Equal(("watcher", length + 1, 0, length + 1), (counters.Place, counters.Produced, counters.Emitted, counters.Lost));
            Assert.True(counters.Balanced);
        }

        Assert.Empty(sink.Pids);
    }

    /// <summary>A kernel side that is newer may write more.</summary>
    [Fact]
    public void A_whole_record_and_a_longer_one_are_handed_on()
    {
        Sink sink = new();
        ProcessEventReader reader = new(sink);
        reader.OnRecord(RecordOf(pid: 42));
        reader.OnRecord([.. RecordOf(pid: 43), 1, 2, 3]);
        Assert.Equal([42u, 43u], sink.Pids);
        var counters = Assert.Single(reader.Count());
        Assert.Equal((2, 2, 0), (counters.Produced, counters.Emitted, counters.Lost));
    }

    private static byte[] RecordOf(uint pid)
    {
        var e = new ProcessEvent { Kind = ProcessEventKind.Exit, Pid = pid };
        return MemoryMarshal.AsBytes(new ReadOnlySpan<ProcessEvent>(in e)).ToArray();
    }

    private sealed class Sink : IProcessEventSink
    {
        public List<uint> Pids { get; } = [];

        public void OnProcessEvent(in ProcessEvent e) => Pids.Add(e.Pid);
    }
}
