using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>
/// What the worker asks again and again as long as the agent runs, asked over a socket: the answers take no managed memory, so that the
/// keeper has nothing to collect and does not grow. What stands behind the desk is in Beyla.Live.Tests (SteadyKernelTests).
/// </summary>
[Collection(nameof(MessageSocketTests))]
public sealed class SteadyStateTests : IDisposable
{
    /// <summary>Process ids that nobody has (kernel.pid_max is lower), that have no number, and that are this process.</summary>
    private static readonly int[] Others = [4194303, 0, Environment.ProcessId];

    private readonly Process child = Process.Start(new ProcessStartInfo("sleep", ["300"]))!;
    private readonly RecordingHost host = new();
    private readonly MessageSocket own, other;
    private readonly KeeperDesk desk;
    private readonly byte[] answer = new byte[128 * 1024];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];

    public SteadyStateTests()
    {
        (own, other) = MessageSocket.CreatePair();
        desk = new KeeperDesk(host, new RecordingPrivilege(), new RecordingFlows());
        Assert.True(SpinWait.SpinUntil(
            () => File.ReadAllText($"/proc/{child.Id}/cmdline").StartsWith("sleep", StringComparison.Ordinal), TimeSpan.FromSeconds(20)));
    }

    /// <summary>Operations with what is asked of them: <see cref="KeeperRequest.Number"/>, and how often.</summary>
    public static TheoryData<KeeperOperation, int, int> Steady => new()
    {
        { KeeperOperation.ReadLink, (int)ProcessLink.Executable, 10_000 },
        { KeeperOperation.ReadLink, (int)ProcessLink.UserNamespace, 10_000 },
        { KeeperOperation.OpenMaps, 0, 10_000 },
        { KeeperOperation.Variables, 0, 10_000 },
        { KeeperOperation.StartedWith, 0, 10_000 },
        { KeeperOperation.NameExecutable, 0, 10_000 },
        { KeeperOperation.OpenExecutable, 0, 10_000 },
        { KeeperOperation.LeadsTo, 0, 10_000 },
        { KeeperOperation.ScanListeners, 0, 10_000 },
        { KeeperOperation.ReadIo, 0, 10_000 },
        { KeeperOperation.CountFiles, 0, 10_000 },
        { KeeperOperation.IncludeGroup, 0, 10_000 },
        { KeeperOperation.BeginGo, 0, 10_000 },
        // Each looks through the maps of this process, which has hundreds. The host keeps an object for each probe that is set.
        { KeeperOperation.AttachGo, 0, 500 },
        { KeeperOperation.DetachGo, 0, 10_000 },
        { KeeperOperation.Counters, (int)CounterGroup.Processes, 10_000 },
        { KeeperOperation.Counters, (int)CounterGroup.Sockets, 10_000 },
        { KeeperOperation.FlowSwap, 0, 10_000 },
        { KeeperOperation.FlowRead, (int)(FlowBatch.Remove | FlowBatch.First), 10_000 },
        { KeeperOperation.FlowOwners, 512, 10_000 },
        { KeeperOperation.FlowWalk, 0, 10_000 },
        { KeeperOperation.FlowCount, 0, 10_000 },
        { KeeperOperation.FlowState, 0, 10_000 },
        { KeeperOperation.Counters, (int)CounterGroup.Statistics, 10_000 },
        { KeeperOperation.WalkStatistics, 0, 10_000 },
    };

    /// <summary>The rest of the list: asked once at the start or the end, but for two that take memory.</summary>
    private static readonly KeeperOperation[] NotSteady =
    [
        KeeperOperation.Configuration, KeeperOperation.Application, KeeperOperation.OpenFlows, KeeperOperation.FlowStart,
        KeeperOperation.FlowDetach, KeeperOperation.Detach, KeeperOperation.NamedFile,
        KeeperOperation.OpenStatistics, KeeperOperation.DetachStatistics,
        // Asked when a reader is late, and always refused.
        KeeperOperation.None,
        // A thread and its desk: one for each thread of the worker that may have to wait, at most 16 at a time.
        KeeperOperation.OpenDesk,
        // The state of each thread as text, for the report that somebody asked for by SIGUSR1.
        KeeperOperation.Describe,
    ];

    [Fact]
    public void Each_operation_is_steady_or_said_not_to_be() => Assert.Equal(
        Enum.GetValues<KeeperOperation>().Order(),
        Steady.Select(static row => (KeeperOperation)row[0]).Concat(NotSteady).Distinct().Order());

    [Theory]
    [MemberData(nameof(Steady))]
    public void An_answer_takes_no_memory(KeeperOperation operation, int number, int count)
    {
        var request = new KeeperRequest { Operation = operation, Pid = child.Id, Number = number };
        byte[] text = operation switch
        {
            KeeperOperation.IncludeGroup => [.. "/system.slice/shop.service"u8],
            KeeperOperation.BeginGo => new byte[Marshal.SizeOf<GoOffsets>()],
            KeeperOperation.LeadsTo => Encoding.UTF8.GetBytes(File.ResolveLinkTarget($"/proc/{child.Id}/exe", false)!.FullName),
            _ => [],
        };
        _ = Ask(new KeeperRequest { Operation = KeeperOperation.NameExecutable, Pid = child.Id }, []);
        if (operation == KeeperOperation.LeadsTo)
        {
            Assert.True(FileStatus.TryRead(
                FileStatus.CurrentDirectory, Encoding.UTF8.GetString(text), 0, FileStatus.Basic, out var status));
            (request.First, request.Second) = ((long)status.Identity.Device, (long)status.Identity.Inode);
            Assert.Equal(1, Ask(request, text).Result);
        }
        else if (operation is KeeperOperation.AttachGo or KeeperOperation.DetachGo)
        {
            request.First = 16;
        }

        Assert.InRange(Ask(request, text).Result, 0, 1);
        Assert.Equal(0, Allocation.Least(round => AskAgain(request, text, count / 5)));
    }

    /// <summary>A process that is gone is the normal case, and so is one that is not to be seen.</summary>
    [Theory]
    [MemberData(nameof(Steady))]
    public void A_refusal_takes_none_either(KeeperOperation operation, int number, int count)
    {
        var request = new KeeperRequest { Operation = operation, Number = number == 0 ? -1 : number };
        Assert.Equal(0, Allocation.Least(round =>
        {
            foreach (var pid in Others)
            {
                AskAgain(request with { Pid = pid }, [], count / 15);
            }
        }));
    }

    public void Dispose()
    {
        desk.Dispose();
        own.Dispose();
        other.Dispose();
        host.Dispose();
        child.Kill();
        child.WaitForExit();
        child.Dispose();
    }

    private void AskAgain(in KeeperRequest request, byte[] text, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _ = Ask(request, text);
        }
    }

    /// <summary>Sends, has it answered, and takes the answer, all on this thread: it is this thread's memory that is counted.</summary>
    private KeeperReply Ask(KeeperRequest request, byte[] text)
    {
        request.Length = (uint)text.Length;
        if (other.Send(MemoryMarshal.AsBytes(new ReadOnlySpan<KeeperRequest>(in request)), text, []) != 0
            || !desk.AnswerOne(own) || other.Receive(answer, descriptors, out var given) < Marshal.SizeOf<KeeperReply>())
        {
            throw new InvalidOperationException("not answered");
        }

        for (var i = 0; i < given; i++)
        {
            _ = Descriptor.Close(descriptors[i]);
        }

        return MemoryMarshal.Read<KeeperReply>(answer);
    }
}
