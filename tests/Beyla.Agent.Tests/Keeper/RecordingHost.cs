using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>
/// Stands behind a desk: notes how often it was asked for what, and fails where it was asked for what no desk may hand on.
/// </summary>
internal sealed class RecordingHost : IKeeperHost, IDisposable
{
    private readonly Pipe pipe = new();

    /// <summary>Calls, by the name of the member.</summary>
    public Dictionary<string, long> Calls { get; } = [];

    /// <summary>What each call ends with; null for success.</summary>
    public Func<Exception>? Failure { get; set; }

    public bool ReadsProcesses { get; set; } = true;

    public bool MeasuresProcesses { get; set; } = true;

    /// <summary>What <see cref="OpenDesk"/> gives; made anew each time.</summary>
    public List<MessageSocket> Desks { get; } = [];

    public string Description { get; set; } = "effective=none permitted=CAP_BPF";

    public byte[]? Started { get; set; } = [.. "OTEL_SERVICE_NAME=a\0"u8];

    /// <summary>Descriptors of named files; at first there is one, of which nothing can be read.</summary>
    public List<int> Named { get; } = [];

    public RecordingHost() => Named.Add(pipe.Read);

    public int Configuration(Span<int> descriptors)
    {
        Note();
        descriptors[0] = pipe.Read;
        descriptors[1] = pipe.Write;
        return 2;
    }

    public int NamedFile(int number)
    {
        Note();
        return (uint)number < (uint)Named.Count ? Named[number] : throw new KernelException("hand over a file", Errno.ENOENT);
    }

    public ApplicationFacts Application(Span<int> descriptors)
    {
        Note();
        descriptors[..6].Fill(pipe.Read);
        return new ApplicationFacts { ProcessRing = 4096, SocketRing = 8192, Parts = ApplicationParts.Names };
    }

    public FlowFacts OpenFlows(Span<int> descriptors)
    {
        Note();
        descriptors[..3].Fill(pipe.Read);
        return new FlowFacts { KnowsProcesses = 1, OverflowRing = 4096 };
    }

    public int OpenStatistics(out uint size)
    {
        Note();
        size = 4096;
        return pipe.Read;
    }

    public long WalkStatistics(bool isLast)
    {
        Note();
        return isLast ? 2 : 1;
    }

    public void DetachStatistics() => Note();

    public MessageSocket OpenDesk()
    {
        Note();
        var (own, other) = MessageSocket.CreatePair();
        own.Dispose();
        return other;
    }

    public void Detach() => Note();

    public int Count(CounterGroup group, Span<PlaceCounters> places)
    {
        Note();
        Assert.True(group is CounterGroup.Processes or CounterGroup.Sockets or CounterGroup.Statistics);
        (places[0], places[1]) = (new PlaceCounters("watcher", "events", 7, 7), new PlaceCounters("sockets", "calls", 1, Lost: 1));
        return 2;
    }

    public string Describe()
    {
        Note();
        return Description;
    }

    public int StartedWith(int pid, Span<byte> target)
    {
        AssertPid(pid);
        Note();
        Started.CopyTo(target);
        return Started is null ? -Errno.ENODATA : Started.Length;
    }

    public int ScanListeners(int pid)
    {
        Assert.True(pid is >= 0 and < 4194304 && pid != Environment.ProcessId);
        Note();
        return Descriptor.Duplicate(pipe.Read);
    }

    public long AttachGo(int file, long roundTrip, long writeBody)
    {
        Assert.True(file >= 0 && roundTrip > 0 && writeBody >= 0);
        Assert.True(ProcCalls.TryIdentify(file, out _));
        Note();
        return 1;
    }

    public void DetachGo(long number) => Note();

    public void BeginGo(int pid, in GoOffsets offsets)
    {
        AssertPid(pid);
        Note();
    }

    public bool IncludeGroup(ReadOnlySpan<byte> path)
    {
        Assert.True(path.StartsWith("/"u8));
        Assert.False(path.IndexOf("/../"u8) >= 0 || path.EndsWith("/.."u8));
        Assert.False(path.Contains((byte)0));
        Note();
        return true;
    }

    public void Dispose() => pipe.Dispose();

    // PID_MAX_LIMIT, include/linux/threads.h. No process of that number is there.
    private static void AssertPid(int pid) => Assert.True(pid is > 0 and < 4194304 && pid != Environment.ProcessId);

    private void Note([System.Runtime.CompilerServices.CallerMemberName] string member = "")
    {
        Calls[member] = Calls.GetValueOrDefault(member) + 1;
        if (Failure is not null)
        {
            throw Failure();
        }
    }
}
