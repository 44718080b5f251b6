using System.Runtime.InteropServices;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Kernel;

/// <summary>Takes the events of the watcher.</summary>
public interface IProcessEventSink
{
    /// <summary>Takes one event, on the thread that reads; the event is valid until this returns.</summary>
    void OnProcessEvent(in ProcessEvent e);
}

/// <summary>Turns ring records into <see cref="ProcessEvent"/>s. One thread reads; <see cref="Count"/> is for any.</summary>
public sealed class ProcessEventReader(IProcessEventSink sink) : IRingSink, ICounted
{
    private long handedOn, tooShort;

    /// <summary>Hands the record on; one that is shorter than an event is counted as lost.</summary>
    public void OnRecord(ReadOnlySpan<byte> record)
    {
        if (!MemoryMarshal.TryRead(record, out ProcessEvent e))
        {
            Interlocked.Increment(ref tooShort);
            return;
        }

        Interlocked.Increment(ref handedOn);
        sink.OnProcessEvent(in e);
    }

    /// <inheritdoc/>
    public IEnumerable<PlaceCounters> Count()
    {
        var (emitted, lost) = (Interlocked.Read(ref handedOn), Interlocked.Read(ref tooShort));
        yield return new PlaceCounters("watcher", "records", emitted + lost, Emitted: emitted, Lost: lost);
    }
}
