using System.Text;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>What a desk opens of processes that are there, and what it does not.</summary>
[Collection(nameof(MessageSocketTests))]
public sealed class KeeperProcTests : IDisposable
{
    private readonly ConnectedDesk desk = new();

    private KeeperConnection Connection => desk.Connection;

    [Fact]
    public void Links_of_a_process_are_read()
    {
        var pid = desk.Start("/bin/sleep", ["60"]);
        var target = new byte[4096];
        var length = Connection.ReadLink(pid, ProcessLink.Executable, target);
        Assert.Equal(File.ResolveLinkTarget($"/proc/{pid}/exe", false)!.FullName, Encoding.UTF8.GetString(target, 0, length));
        length = Connection.ReadLink(pid, ProcessLink.UserNamespace, target);
        Assert.Equal(new FileInfo($"/proc/{pid}/ns/user").LinkTarget, Encoding.UTF8.GetString(target, 0, length));
        Assert.Equal(-Errno.EINVAL, Connection.ReadLink(pid, (ProcessLink)3, target));
        Assert.Equal(-Errno.ENOENT, Connection.ReadLink(4194303, ProcessLink.Executable, target));
        Assert.Equal(4, Connection.ReadLink(pid, ProcessLink.Executable, target.AsSpan(0, 4)));
    }

    [Fact]
    public void Maps_are_those_of_the_process()
    {
        var pid = desk.Start("/bin/sleep", ["60"]);
        // Once it sleeps (clock_nanosleep is 230), nothing of its maps changes any more.
        Until(() => File.ReadAllText($"/proc/{pid}/syscall").StartsWith("230 ", StringComparison.Ordinal));
        var file = Connection.OpenMaps(pid);
        Assert.True(file >= 0);
        Assert.Equal(File.ReadAllText($"/proc/{pid}/maps"), File.ReadAllText($"/proc/self/fd/{file}"));
        Assert.True(Descriptor.Close(file));
    }

    [Fact]
    public void What_a_process_moved_and_holds_is_told_as_the_kernel_has_it()
    {
        var pid = desk.Start("/bin/sleep", ["60"]);
        Until(() => File.ReadAllText($"/proc/{pid}/syscall").StartsWith("230 ", StringComparison.Ordinal));
        var target = new byte[4096];
        Assert.Equal(
            File.ReadAllText($"/proc/{pid}/io"), Encoding.UTF8.GetString(target, 0, Connection.ReadIo(pid, target)));
        Assert.Equal(Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length, Connection.CountFiles(pid));
        Assert.Equal(-Errno.ENOENT, Connection.ReadIo(4194303, target));
        Assert.Equal(-Errno.ENOENT, Connection.CountFiles(4194303));
        Assert.Equal(-Errno.ESRCH, Connection.ReadIo(Environment.ProcessId, target));
        desk.Host.MeasuresProcesses = false;
        Assert.Equal(-Errno.ENODEV, Connection.ReadIo(pid, target));
        Assert.Equal(-Errno.ENODEV, Connection.CountFiles(pid));
    }

    [Fact]
    public void Of_the_environment_two_variables_leave_and_no_others()
    {
        var pid = desk.Start(
            "/usr/bin/env", ["-i", "SECRET=s3cret", "OTEL_SERVICE_NAME=shop", "OTEL_SERVICE_NAMES=no", "XOTEL_SERVICE_NAME=no",
                "OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu", "OTEL_EXPORTER_OTLP_HEADERS=token", "PATH=/bin", "sleep", "60"]);
        Until(() => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("sleep", StringComparison.Ordinal));
        var target = new byte[64 * 1024];
        var length = Connection.Variables(pid, target, out var isEnvironment);
        Assert.True(isEnvironment);
        Assert.Equal(
            "OTEL_SERVICE_NAME=shop\0OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu\0", Encoding.UTF8.GetString(target, 0, length));
    }

    [Fact]
    public void A_variable_that_is_too_long_stays()
    {
        var pid = desk.Start(
            "/usr/bin/env",
            ["-i", "OTEL_SERVICE_NAME=" + new string('x', 17_000), "OTEL_RESOURCE_ATTRIBUTES=" + new string('y', 16_000), "sleep", "60"]);
        Until(() => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("sleep", StringComparison.Ordinal));
        var target = new byte[64 * 1024];
        var length = Connection.Variables(pid, target, out _);
        Assert.Equal("OTEL_RESOURCE_ATTRIBUTES=" + new string('y', 16_000) + "\0", Encoding.UTF8.GetString(target, 0, length));
        Assert.True(Connection.Variables(4194303, target, out _) < 0);
    }

    [Fact]
    public void An_executable_is_named_then_opened_and_a_path_leads_to_it()
    {
        var pid = desk.Start("/bin/sleep", ["60"]);
        Assert.Equal(-Errno.EINVAL, Connection.OpenExecutable(pid));
        var named = Connection.NameExecutable(pid);
        var opened = Connection.OpenExecutable(pid);
        Assert.True(named >= 0 && opened >= 0);
        Assert.Equal(File.ReadAllBytes($"/proc/{pid}/exe"), File.ReadAllBytes($"/proc/self/fd/{opened}"));
        Assert.Equal(-Errno.EBADF, ProcCalls.Read(named, new byte[1]));
        Assert.True(ProcCalls.TryIdentify(named, out var status));
        var (device, inode) = (status.Identity.Device, status.Identity.Inode);
        var path = File.ResolveLinkTarget($"/proc/{pid}/exe", false)!.FullName;
        Assert.True(Connection.LeadsTo(pid, Encoding.UTF8.GetBytes(path), device, inode));
        Assert.False(Connection.LeadsTo(pid, Encoding.UTF8.GetBytes(path), device, inode + 1));
        Assert.False(Connection.LeadsTo(pid, Encoding.UTF8.GetBytes(path + "x"), device, inode));
        Assert.False(Connection.LeadsTo(pid, new byte[4096], device, inode));
        Assert.False(Connection.LeadsTo(pid, new byte[5000], device, inode));
        Assert.Equal(1, Connection.AttachGo(pid, 16, 0));
        Assert.Throws<KernelException>(() => Connection.AttachGo(pid, 0, 0));
        Assert.True(Descriptor.Close(named) && Descriptor.Close(opened));

        // One that is gone leaves no other one named.
        Assert.True(Connection.NameExecutable(4194303) < 0);
        Assert.Equal(-Errno.EINVAL, Connection.OpenExecutable(pid));
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
            Assert.Equal(-Errno.ESRCH, Connection.OpenMaps(thread));
            Assert.Equal(-Errno.ESRCH, Connection.NameExecutable(thread));
            Assert.Equal(-Errno.ESRCH, Connection.ReadLink(thread, ProcessLink.Executable, target));
            Assert.Equal(-Errno.ESRCH, Connection.Variables(thread, target, out _));
            Assert.Equal(-Errno.ESRCH, Connection.ReadIo(thread, target));
            Assert.Equal(-Errno.ESRCH, Connection.CountFiles(thread));
        }

        Assert.Equal(0, desk.Privilege.Calls);
    }

    /// <summary>A breakpoint in the middle of an instruction makes another one of it.</summary>
    [Fact]
    public void No_probe_is_set_in_code_that_the_keeper_runs()
    {
        var loader = File.ReadLines("/proc/self/maps").First(line => line.Contains("/ld-linux", StringComparison.Ordinal));
        var pid = desk.Start(loader[loader.IndexOf('/')..], ["/bin/sleep", "60"]);
        var named = Connection.NameExecutable(pid);
        Assert.True(named >= 0);
        Descriptor.Close(named);
        Assert.Equal(Errno.EPERM, Assert.Throws<KernelException>(() => Connection.AttachGo(pid, 16, 0)).Errno);
        Assert.DoesNotContain("AttachGo", desk.Host.Calls.Keys);
        using var aside = AsideThread.Enter();
        var own = ProcCalls.OpenName("/proc/self/exe"u8);
        Assert.True(OwnFiles.Contain(own));
        Descriptor.Close(own);
        var other = ProcCalls.OpenName("/bin/sleep"u8);
        Assert.False(OwnFiles.Contain(other));
        Descriptor.Close(other);
        Assert.True(OwnFiles.Contain(-1));
    }

    public void Dispose() => desk.Dispose();

    private static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)));
}
