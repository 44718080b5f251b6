using System.Diagnostics;
using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>Both ends in one process, over a real pair of sockets and the /proc of this machine.</summary>
[Collection(nameof(MessageSocketTests))]
public sealed class KeeperConnectionTests : IDisposable
{
    private readonly RecordingHost host = new();
    private readonly RecordingPrivilege privilege = new();
    private readonly List<Process> started = [];
    private readonly KeeperConnection connection;
    private readonly MessageSocket served;
    private readonly Thread thread;

    public KeeperConnectionTests()
    {
        (served, var other) = MessageSocket.CreatePair();
        connection = new KeeperConnection(other);
        thread = new Thread(() =>
        {
            using var desk = new KeeperDesk(host, privilege);
            desk.Serve(served);
        });
        thread.Start();
    }

    [Fact]
    public void What_is_configured_comes_first_and_says_what_is_held()
    {
        Assert.True(connection.TryConfigure(out var control, out var file));
        Assert.Equal(ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch, connection.Held);
        Assert.True(control > 2 && file > 2 && control != file);
        Assert.True(Descriptor.Close(control) && Descriptor.Close(file));
        Assert.Equal("effective=none permitted=CAP_BPF", connection.Describe());
        Assert.Equal(
            [new PlaceCounters("watcher", "events", 7, 7), new PlaceCounters("sockets", "calls", 1, Lost: 1)],
            connection.Count(CounterGroup.Processes));
        Assert.Equal("OTEL_SERVICE_NAME=a\0", Encoding.UTF8.GetString(connection.StartedWith(1)!));
    }

    [Fact]
    public void Facts_and_maps_arrive_together()
    {
        var maps = new int[8];
        Assert.Equal(
            (4096u, 8192u, ApplicationParts.Names),
            connection.Application(maps) is { } facts ? (facts.ProcessRing, facts.SocketRing, facts.Parts) : default);
        Assert.All(maps[..6], map => Assert.True(Descriptor.Close(map)));
        Assert.Equal((1u, 4096u), connection.OpenFlows(maps) is { } flows ? (flows.KnowsProcesses, flows.OverflowRing) : default);
        Assert.All(maps[..3], map => Assert.True(Descriptor.Close(map)));
    }

    [Fact]
    public void Links_of_a_process_are_read()
    {
        var pid = Start("/bin/sleep", ["60"]);
        var target = new byte[4096];
        var length = connection.ReadLink(pid, ProcessLink.Executable, target);
        Assert.Equal(File.ResolveLinkTarget($"/proc/{pid}/exe", false)!.FullName, Encoding.UTF8.GetString(target, 0, length));
        length = connection.ReadLink(pid, ProcessLink.UserNamespace, target);
        Assert.Equal(new FileInfo($"/proc/{pid}/ns/user").LinkTarget, Encoding.UTF8.GetString(target, 0, length));
        Assert.Equal(-Errno.EINVAL, connection.ReadLink(pid, (ProcessLink)3, target));
        Assert.Equal(-Errno.ENOENT, connection.ReadLink(4194303, ProcessLink.Executable, target));
        Assert.Equal(4, connection.ReadLink(pid, ProcessLink.Executable, target.AsSpan(0, 4)));
    }

    [Fact]
    public void Maps_are_those_of_the_process()
    {
        var pid = Start("/bin/sleep", ["60"]);
        var file = connection.OpenMaps(pid);
        Assert.True(file >= 0);
        Assert.Equal(File.ReadAllText($"/proc/{pid}/maps"), File.ReadAllText($"/proc/self/fd/{file}"));
        Assert.True(Descriptor.Close(file));
    }

    [Fact]
    public void Of_the_environment_two_variables_leave_and_no_others()
    {
        var pid = Start(
            "/usr/bin/env", ["-i", "SECRET=s3cret", "OTEL_SERVICE_NAME=shop", "OTEL_SERVICE_NAMES=no", "XOTEL_SERVICE_NAME=no",
                "OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu", "OTEL_EXPORTER_OTLP_HEADERS=token", "PATH=/bin", "sleep", "60"]);
        Until(() => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("sleep", StringComparison.Ordinal));
        var target = new byte[64 * 1024];
        var length = connection.Variables(pid, target, out var isEnvironment);
        Assert.True(isEnvironment);
        Assert.Equal(
            "OTEL_SERVICE_NAME=shop\0OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu\0", Encoding.UTF8.GetString(target, 0, length));
    }

    [Fact]
    public void A_variable_that_is_too_long_stays()
    {
        var pid = Start(
            "/usr/bin/env",
            ["-i", "OTEL_SERVICE_NAME=" + new string('x', 17_000), "OTEL_RESOURCE_ATTRIBUTES=" + new string('y', 16_000), "sleep", "60"]);
        Until(() => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("sleep", StringComparison.Ordinal));
        var target = new byte[64 * 1024];
        var length = connection.Variables(pid, target, out _);
        Assert.Equal("OTEL_RESOURCE_ATTRIBUTES=" + new string('y', 16_000) + "\0", Encoding.UTF8.GetString(target, 0, length));
        Assert.True(connection.Variables(4194303, target, out _) < 0);
    }

    [Fact]
    public void An_executable_is_named_then_opened_and_a_path_leads_to_it()
    {
        var pid = Start("/bin/sleep", ["60"]);
        Assert.Equal(-Errno.EINVAL, connection.OpenExecutable(pid));
        var named = connection.NameExecutable(pid);
        var opened = connection.OpenExecutable(pid);
        Assert.True(named >= 0 && opened >= 0);
        Assert.Equal(File.ReadAllBytes($"/proc/{pid}/exe"), File.ReadAllBytes($"/proc/self/fd/{opened}"));
        Assert.Equal(-Errno.EBADF, ProcCalls.Read(named, new byte[1]));
        Assert.True(ProcCalls.TryIdentify(named, out var status));
        var (device, inode) = (status.Identity.Device, status.Identity.Inode);
        var path = File.ResolveLinkTarget($"/proc/{pid}/exe", false)!.FullName;
        Assert.True(connection.LeadsTo(pid, path, device, inode));
        Assert.False(connection.LeadsTo(pid, path, device, inode + 1));
        Assert.False(connection.LeadsTo(pid, path + "x", device, inode));
        Assert.False(connection.LeadsTo(pid, new string('x', 5000), device, inode));
        Assert.Equal(1, connection.AttachGo(pid, 16, 0));
        Assert.Throws<KernelException>(() => connection.AttachGo(pid, 0, 0));
        Assert.True(Descriptor.Close(named) && Descriptor.Close(opened));

        // One that is gone leaves no other one named.
        Assert.True(connection.NameExecutable(4194303) < 0);
        Assert.Equal(-Errno.EINVAL, connection.OpenExecutable(pid));
    }

    /// <summary>/proc answers for each thread as for the process (proc(5)), so the number of a thread would show it all.</summary>
    [Fact]
    public void The_keeper_itself_is_out_of_reach_by_the_numbers_of_its_threads_too()
    {
        int[] own = [.. Directory.GetDirectories("/proc/self/task").Select(path => int.Parse(Path.GetFileName(path)))];
        Assert.True(own.Length > 1);
        var target = new byte[4096];
        foreach (var thread in own)
        {
            Assert.Equal(-Errno.ESRCH, connection.OpenMaps(thread));
            Assert.Equal(-Errno.ESRCH, connection.NameExecutable(thread));
            Assert.Equal(-Errno.ESRCH, connection.ReadLink(thread, ProcessLink.Executable, target));
            Assert.Equal(-Errno.ESRCH, connection.Variables(thread, target, out _));
        }

        Assert.Equal(0, privilege.Calls);
    }

    /// <summary>A breakpoint in the middle of an instruction makes another one of it.</summary>
    [Fact]
    public void No_probe_is_set_in_code_that_the_keeper_runs()
    {
        var loader = File.ReadLines("/proc/self/maps").First(line => line.Contains("/ld-linux", StringComparison.Ordinal));
        var pid = Start(loader[loader.IndexOf('/')..], ["/bin/sleep", "60"]);
        var named = connection.NameExecutable(pid);
        Assert.True(named >= 0);
        Descriptor.Close(named);
        Assert.Equal(Errno.EPERM, Assert.Throws<KernelException>(() => connection.AttachGo(pid, 16, 0)).Errno);
        Assert.DoesNotContain("AttachGo", host.Calls.Keys);
        using var aside = AsideThread.Enter();
        var own = ProcCalls.OpenName("/proc/self/exe");
        Assert.True(OwnFiles.Contain(own));
        Descriptor.Close(own);
        var other = ProcCalls.OpenName("/bin/sleep");
        Assert.False(OwnFiles.Contain(other));
        Descriptor.Close(other);
        Assert.True(OwnFiles.Contain(-1));
    }

    [Fact]
    public void What_the_kernel_refused_is_said_as_it_was()
    {
        host.Failure = static () => new KernelException("load program x", Errno.EPERM, "the last line");
        var failure = Assert.Throws<KernelException>(() => connection.AttachGo(Named(), 16, 0));
        Assert.Equal(("load program x", Errno.EPERM, "the last line"), (failure.Operation, failure.Errno, failure.Evidence));
        Assert.Equal(Errno.EPERM, Assert.Throws<KernelException>(() => connection.ScanListeners(0)).Errno);
        Assert.Null(connection.Application(new int[8]));
        Assert.Empty(connection.Count(CounterGroup.Sockets));
        Assert.StartsWith("not known: EPERM", connection.Describe(), StringComparison.Ordinal);
        Assert.Null(connection.StartedWith(1));
        Assert.Equal(-Errno.EPERM, ((KeeperConnection)connection.Another()).OpenMaps(1));
    }

    [Fact]
    public void A_further_desk_is_another_socket_and_one_that_is_closed_answers_EPIPE()
    {
        using var another = connection.Another(); // the host closes its end at once
        Assert.Equal(-Errno.EPIPE, another.OpenMaps(Start("/bin/sleep", ["60"])));
        Assert.NotEmpty(connection.Describe());
    }

    [Fact]
    public void When_the_keeper_is_gone_every_question_is_answered()
    {
        served.Shutdown();
        Assert.True(thread.Join(TimeSpan.FromSeconds(10)));
        served.Dispose();
        Assert.Equal(-Errno.EPIPE, connection.OpenMaps(1));
        Assert.Equal(-Errno.EPIPE, connection.NameExecutable(1));
        Assert.Equal(-Errno.EPIPE, connection.Variables(1, new byte[64], out _));
        Assert.False(connection.TryConfigure(out var control, out var file));
        Assert.Equal((-1, -1), (control, file));
        Assert.False(connection.LeadsTo(1, "/x", 1, 1));
        Assert.Empty(connection.Count(CounterGroup.Sockets));
        Assert.Equal(Errno.EPIPE, Assert.Throws<KernelException>(() => connection.BeginGo(1, new GoOffsets())).Errno);
        connection.Detach();
        connection.DetachGo(1);
        using var another = connection.Another();
        Assert.Equal(-Errno.EPIPE, another.OpenMaps(1));
    }

    [Fact]
    public void Any_thread_may_ask_and_gets_its_own_answer()
    {
        int[] pids = [.. Enumerable.Range(0, 4).Select(i => Start("/bin/sleep", [$"{600 + i}"]))];
        var before = MessageSocketTests.Open();
        Parallel.For(0, 2000, i =>
        {
            var pid = pids[i % pids.Length];
            var file = connection.OpenMaps(pid);
            Assert.True(file >= 0);
            Assert.Equal($"/proc/{pid}/maps", new FileInfo($"/proc/self/fd/{file}").LinkTarget);
            Assert.True(Descriptor.Close(file));
        });
        Assert.InRange(MessageSocketTests.Open(), 0, before + 2);
    }

    public void Dispose()
    {
        connection.Dispose();
        thread.Join();
        served.Dispose();
        host.Dispose();
        foreach (var process in started)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private int Named()
    {
        var pid = Start("/bin/sleep", ["60"]);
        Descriptor.Close(connection.NameExecutable(pid));
        return pid;
    }

    private int Start(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        started.Add(process);
        return process.Id;
    }

    private static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)));
}
