using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>What is asked arrives as it was said, and a keeper that is gone is an answer too.</summary>
[Collection(nameof(MessageSocketTests))]
public sealed class KeeperConnectionTests : IDisposable
{
    private readonly ConnectedDesk desk = new();

    private KeeperConnection Connection => desk.Connection;

    [Fact]
    public void What_is_configured_comes_first_and_says_what_is_held()
    {
        Assert.True(Connection.TryConfigure(out var control, out var file));
        Assert.Equal(ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch, Connection.Held);
        Assert.True(control > 2 && file > 2 && control != file);
        Assert.True(Descriptor.Close(control) && Descriptor.Close(file));
        Assert.Equal("effective=none permitted=CAP_BPF", Connection.Describe());
        Assert.Equal(
            [new PlaceCounters("watcher", "events", 7, 7), new PlaceCounters("sockets", "calls", 1, Lost: 1)],
            Connection.Count(CounterGroup.Processes));
        Assert.Equal("OTEL_SERVICE_NAME=a\0", Encoding.UTF8.GetString(Connection.StartedWith(1)!));
    }

    /// <summary>What the keeper read before is what the worker gets, without a path; what is not named is nothing.</summary>
    [Fact]
    public void A_named_file_arrives_by_its_number()
    {
        using var key = MemoryFile.Of("-----BEGIN \u00e4-----\n");
        using var empty = MemoryFile.Of("");
        desk.Host.Named.Clear();
        desk.Host.Named.AddRange([empty.FileDescriptor, key.FileDescriptor]);
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal("-----BEGIN \u00e4-----\n", Connection.NamedFile(1));
            Assert.Equal("", Connection.NamedFile(0));
        }

        Assert.Equal(Errno.ENOENT, Assert.Throws<KernelException>(() => Connection.NamedFile(2)).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<KernelException>(() => Connection.NamedFile(-1)).Errno);
    }

    [Fact]
    public void Facts_and_maps_arrive_together()
    {
        var maps = new int[8];
        Assert.Equal(
            (4096u, 8192u, ApplicationParts.Names),
            Connection.Application(maps) is { } facts ? (facts.ProcessRing, facts.SocketRing, facts.Parts) : default);
        Assert.All(maps[..6], map => Assert.True(Descriptor.Close(map)));
        Assert.Equal((1u, 4096u), Connection.OpenFlows(maps) is { } flows ? (flows.KnowsProcesses, flows.OverflowRing) : default);
        Assert.All(maps[..3], map => Assert.True(Descriptor.Close(map)));
    }

    [Fact]
    public void Statistics_arrive_with_the_size_of_their_ring()
    {
        var ring = Connection.OpenStatistics(out var size);
        Assert.Equal(4096u, size);
        Assert.True(Descriptor.Close(ring));
        Assert.Equal((0, 1), (Connection.Do(KeeperOperation.WalkStatistics, 0, out var lost), lost));
        Assert.Equal((0, 2), (Connection.Do(KeeperOperation.WalkStatistics, 1, out lost), lost));
        Assert.Equal(Errno.ESRCH, Assert.Throws<KernelException>(() => Connection.Do(KeeperOperation.WalkStatistics, 2, out _)).Errno);
        Connection.Do(KeeperOperation.DetachStatistics);
        Assert.Equal((2, 1), (desk.Host.Calls["WalkStatistics"], desk.Host.Calls["DetachStatistics"]));
        desk.Host.Failure = static () => new KernelException("use programs", Errno.ENODEV);
        Assert.Equal(-Errno.ENODEV, Connection.OpenStatistics(out _));
    }

    [Fact]
    public void What_the_kernel_refused_is_said_as_it_was()
    {
        desk.Host.Failure = static () => new KernelException("load program x", Errno.EPERM, "the last line");
        var failure = Assert.Throws<KernelException>(() => Connection.AttachGo(Named(), 16, 0));
        Assert.Equal(("load program x", Errno.EPERM, "the last line"), (failure.Operation, failure.Errno, failure.Evidence));
        Assert.Equal(Errno.EPERM, Assert.Throws<KernelException>(() => Connection.ScanListeners(0)).Errno);
        Assert.Null(Connection.Application(new int[8]));
        Assert.Empty(Connection.Count(CounterGroup.Sockets));
        Assert.StartsWith("not known: EPERM", Connection.Describe(), StringComparison.Ordinal);
        Assert.Null(Connection.StartedWith(1));
        Assert.Equal(-Errno.EPERM, ((KeeperConnection)Connection.Another()).OpenMaps(1));
    }

    [Fact]
    public void A_further_desk_is_another_socket_and_one_that_is_closed_answers_EPIPE()
    {
        using var another = Connection.Another(); // the host closes its end at once
        Assert.Equal(-Errno.EPIPE, another.OpenMaps(desk.Start("/bin/sleep", ["60"])));
        Assert.NotEmpty(Connection.Describe());
    }

    [Fact]
    public void When_the_keeper_is_gone_every_question_is_answered()
    {
        desk.Served.Shutdown();
        Assert.True(desk.Thread.Join(TimeSpan.FromSeconds(10)));
        desk.Served.Dispose();
        Assert.Equal(-Errno.EPIPE, Connection.OpenMaps(1));
        Assert.Equal(-Errno.EPIPE, Connection.NameExecutable(1));
        Assert.Equal(-Errno.EPIPE, Connection.Variables(1, new byte[64], out _));
        Assert.False(Connection.TryConfigure(out var control, out var file));
        Assert.Equal((-1, -1), (control, file));
        Assert.False(Connection.LeadsTo(1, "/x"u8, 1, 1));
        Assert.Empty(Connection.Count(CounterGroup.Sockets));
        Assert.Equal(Errno.EPIPE, Assert.Throws<KernelException>(() => Connection.BeginGo(1, new GoOffsets())).Errno);
        Connection.Detach();
        Connection.DetachGo(1);
        using var another = Connection.Another();
        Assert.Equal(-Errno.EPIPE, another.OpenMaps(1));
    }

    [Fact]
    public void Any_thread_may_ask_and_gets_its_own_answer()
    {
        int[] pids = [.. Enumerable.Range(0, 4).Select(i => desk.Start("/bin/sleep", [$"{600 + i}"]))];
        var before = MessageSocketTests.Open();
        Parallel.For(0, 2000, i =>
        {
            var pid = pids[i % pids.Length];
            var file = Connection.OpenMaps(pid);
            Assert.True(file >= 0);
            Assert.Equal($"/proc/{pid}/maps", new FileInfo($"/proc/self/fd/{file}").LinkTarget);
            Assert.True(Descriptor.Close(file));
        });
        Assert.InRange(MessageSocketTests.Open(), 0, before + 2);
    }

    public void Dispose() => desk.Dispose();

    private int Named()
    {
        var pid = desk.Start("/bin/sleep", ["60"]);
        Descriptor.Close(Connection.NameExecutable(pid));
        return pid;
    }
}
