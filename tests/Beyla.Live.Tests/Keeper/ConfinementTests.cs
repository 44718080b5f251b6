using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// What files the worker reaches, where it stays user 0 and file modes refuse nothing (landlock(7)). What a kernel's Landlock cannot do
/// is not asserted there.
/// </summary>
public sealed partial class ConfinementTests
{
    private const int EPERM = 1, EACCES = 13;

    private static readonly string[] AsRoot = ["setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all"];

    /// <summary>The version of the kernel's own answer (landlock_create_ruleset(2)); below 1 without Landlock.</summary>
    private static int Version => (int)Math.Max(0, Syscall(444, 0, 0, 1));

    [LiveFact("gcc", "setpriv")]
    public async Task The_worker_says_which_version_confines_it()
    {
        await using Halves halves = await Halves.StartAsync([]);
        Assert.Equal(Version, await halves.AskAsync("landlock"));
    }

    [LiveTheory("gcc", "setpriv")]
    [InlineData("read /proc/self/status")]
    [InlineData("read /proc/1/stat")]
    [InlineData("read /proc")]
    [InlineData("read /proc/net/route")]
    [InlineData("read /sys/devices/system/cpu/online")]
    [InlineData("read /sys/fs/cgroup")]
    [InlineData("read /etc/hosts")]
    [InlineData("read /etc/ld.so.cache")]
    [InlineData("read /etc/ssl/certs")]
    [InlineData("read /etc/ssl/openssl.cnf")]
    [InlineData("read /usr/lib/os-release")]
    [InlineData("read /dev/urandom")]
    [InlineData("write /dev/null")]
    [InlineData("thread")]
    public async Task It_reads_what_it_needs(string what)
    {
        await using Halves halves = await Halves.StartAsync(AsRoot);
        Assert.Equal(0, await halves.AskAsync(what));
    }

    [LiveTheory("gcc", "setpriv")]
    [InlineData("read /etc/passwd")]
    [InlineData("read /etc/shadow")]
    [InlineData("read /etc")]
    [InlineData("read /")]
    [InlineData("read /root")]
    [InlineData("read /etc/ssl")]
    [InlineData("read /etc/ssl/private")]
    [InlineData("read /sys/kernel")]
    [InlineData("read /proc/self/root/etc/passwd")]
    [InlineData("read /proc/self/cwd")]
    [InlineData("write /proc/self/comm")]
    [InlineData("write /proc/sys/kernel/core_pattern")]
    [InlineData("make /tmp/beyla-worker-made")]
    [InlineData("directory /tmp/beyla-worker-made")]
    [InlineData("execute /bin/true")]
    [InlineData("execute /proc/self/exe")]
    public async Task It_reaches_nothing_else(string what)
    {
        if (Version == 0)
        {
            return;
        }

        await using Halves halves = await Halves.StartAsync(AsRoot);
        Assert.Equal(EACCES, await halves.AskAsync(what));
    }

    [LiveTheory("gcc", "setpriv")]
    [InlineData("read", 1)]
    [InlineData("write", 1)]
    [InlineData("remove", 1)]
    [InlineData("cut", 3)]
    public async Task A_file_of_its_own_user_is_out_of_reach(string verb, int version)
    {
        if (Version < version)
        {
            return;
        }

        using TempDirectory directory = new();
        string file = directory.Write("file", "content");
        await using Halves halves = await Halves.StartAsync(AsRoot);
        Assert.Equal(EACCES, await halves.AskAsync($"{verb} {file}"));
        Assert.Equal("content", await File.ReadAllTextAsync(file));
    }

    /// <summary>Landlock refuses ptrace's right outside the domain, where the kernel's own rule gives it to the same user.</summary>
    [LiveFact("gcc", "setpriv", "sleep", "readlink")]
    public async Task Another_process_of_the_same_user_is_out_of_reach()
    {
        string[] user = ["--reuid=1234", "--regid=1234", "--clear-groups"];
        await using ChildProcess other = ChildProcess.Start(Tool.Find("setpriv"), [.. user, "sleep", "60"]);
        Assert.True(await Wait.UntilAsync(() => Halves.Status(other.Pid, "Name") == "sleep", Wait.Hang));
        Assert.EndsWith("sleep\n", await Tool.RunAsync("setpriv", [.. user, "readlink", $"/proc/{other.Pid}/exe"]) + "\n");
        if (Version == 0)
        {
            return;
        }

        await using Halves halves = await Halves.StartAsync(["setpriv", .. user]);
        Assert.Equal(EACCES, await halves.AskAsync($"link /proc/{other.Pid}/exe"));
        Assert.Equal(EACCES, await halves.AskAsync($"read /proc/{other.Pid}/environ"));
        Assert.Equal(Version >= 6 ? EPERM : 0, await halves.AskAsync($"signal {other.Pid}"));
    }

    [LiveFact("gcc", "setpriv")]
    public async Task Abstract_sockets_of_others_are_out_of_reach()
    {
        string name = $"beyla-live-{Environment.ProcessId}-{FreePort.Next().ToString(CultureInfo.InvariantCulture)}";
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen();
        await using Halves halves = await Halves.StartAsync(AsRoot);
        Assert.Equal(Version >= 6 ? EPERM : 0, await halves.AskAsync($"abstract {name}"));
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Syscall(nint number, nint first, nint second, nint third);
}
