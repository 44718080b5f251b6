using System.Diagnostics;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>A desk and a worker that sends anything. Alone: it counts the descriptors of this process.</summary>
[Collection(nameof(MessageSocketTests))]
public sealed class DeskFuzzTests : IDisposable
{
    private static readonly string[] Members =
    [
        "Application", "AttachGo", "BeginGo", "Configuration", "Count", "Describe", "Detach", "DetachGo", "DetachStatistics",
        "IncludeGroup", "NamedFile", "OpenDesk", "OpenFlows", "OpenStatistics", "ScanListeners", "StartedWith", "WalkStatistics",
    ];

    private static readonly string[] FlowMembers = ["Count", "Detach", "FindOwners", "ReadBatch", "Source", "Start", "Swap", "WalkSockets"];

    private readonly RecordingHost host = new();
    private readonly RecordingFlows flows = new();
    private readonly RecordingPrivilege privilege = new();
    private readonly Process child = Process.Start(new ProcessStartInfo("sleep", ["300"]))!;

    [Fact]
    public void A_million_questions_do_what_is_on_the_list_and_nothing_else()
    {
        Run(12, 1_000_000, successes: 100_000);
        Assert.Equal(Members, host.Calls.Keys.Order());
        Assert.Equal(FlowMembers, flows.Calls.Keys.Order());
        Assert.All(host.Calls.Concat(flows.Calls), calls => Assert.InRange(calls.Value, 100, long.MaxValue));
        Assert.InRange(privilege.Calls, 1000, long.MaxValue);
    }

    [Fact]
    public void Every_length_is_answered()
    {
        using var desk = new KeeperDesk(host, privilege, flows);
        var questions = new Questions(13, [child.Id]);
        for (var length = 0; length <= 4200; length++)
        {
            for (var i = 0; i < 8; i++)
            {
                Answer(desk, questions.OfLength(length));
            }
        }
    }

    [Fact]
    public void A_host_that_has_nothing_is_asked_and_no_answer_lacks()
    {
        host.Failure = flows.Failure = static () => new KernelException("use programs", Errno.ENODEV, "évidence");
        Run(14, 50_000, successes: 0);
        Assert.Equal(Members, host.Calls.Keys.Order());
    }

    public static TheoryData<Exception> Failures => new(
        new ObjectDisposedException("programs"), new ArgumentOutOfRangeException("count"), new InvalidOperationException(),
        new NullReferenceException(), new IOException(new string('x', 200_000)), new KernelException("", 0),
        new KernelException("load", -22), new KernelException(new string('ä', 100_000), Errno.EINVAL, new string('ä', 100_000)),
        new KernelException("load", Errno.EINVAL, "\ud800 half a pair"));

    /// <summary>What was disposed, called out of order or a mistake: the question fails, and the next one is answered.</summary>
    [Theory]
    [MemberData(nameof(Failures))]
    public void A_host_that_fails_in_any_way_ends_no_desk(Exception failure)
    {
        host.Failure = flows.Failure = () => failure;
        Run(15, 20_000, successes: 0);
        Assert.Equal(Members, host.Calls.Keys.Order());
        Assert.Equal(FlowMembers, flows.Calls.Keys.Order());
    }

    [Fact]
    public void Where_no_processes_are_observed_no_file_of_one_is_opened()
    {
        host.ReadsProcesses = false;
        Run(16, 100_000, successes: 1000);
        Assert.Equal(0, privilege.Calls);
        Assert.DoesNotContain("StartedWith", host.Calls.Keys);
        Assert.DoesNotContain("AttachGo", host.Calls.Keys);
        Assert.DoesNotContain("BeginGo", host.Calls.Keys);
    }

    /// <summary>The desk for everything but flows.</summary>
    [Fact]
    public void A_desk_without_flows_hands_none_on()
    {
        using var desk = new KeeperDesk(host, privilege);
        for (var operation = KeeperOperation.FlowStart; operation <= KeeperOperation.FlowState; operation++)
        {
            var reply = desk.Answer(System.Runtime.InteropServices.MemoryMarshal.AsBytes([new KeeperRequest { Operation = operation }]));
            Assert.Equal(-Errno.ENODEV, reply.Result);
        }
    }

    public void Dispose()
    {
        child.Kill();
        child.WaitForExit();
        child.Dispose();
        host.Dispose();
    }

    private void Run(int seed, int count, int successes)
    {
        var questions = new Questions(seed, [child.Id, child.Id, 1]);
        var (before, answered) = (0, 0);
        using (var desk = new KeeperDesk(host, privilege, flows))
        {
            // What the runtime opens once (assemblies, their symbols) is open when some of each kind were asked.
            for (var i = 0; i < 2000; i++)
            {
                Answer(desk, questions.Next());
            }

            before = MessageSocketTests.Open();
            for (var i = 0; i < count; i++)
            {
                answered += Answer(desk, questions.Next()) ? 1 : 0;
            }
        }

        // Threads of the runtime and of the test's host open files for a moment; what is left open stays.
        if (!SpinWait.SpinUntil(() => MessageSocketTests.Open() <= before, TimeSpan.FromSeconds(2)))
        {
            Assert.InRange(MessageSocketTests.Open(), 0, before);
        }

        Assert.InRange(answered, successes, count);
    }

    private static bool Answer(KeeperDesk desk, ReadOnlySpan<byte> question)
    {
        var reply = desk.Answer(question);
        desk.CloseGiven(reply.Descriptors);
        // Plain comparisons: a million of them.
        if (reply.Length > KeeperReply.MaximumText || reply.Descriptors is < 0 or > MessageSocket.MaximumDescriptors
            || (reply.Result < 0 && reply.Descriptors != 0) || reply.Result > 1)
        {
            Assert.Fail($"{reply.Result} {reply.Length} {reply.Descriptors} for {Convert.ToHexString(question)}");
        }

        return reply.Result >= 0;
    }
}
