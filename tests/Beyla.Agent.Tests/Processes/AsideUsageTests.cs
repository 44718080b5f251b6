using System.Diagnostics;
using System.Text;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

/// <summary>What is asked aside, also of processes that do not let go of who asks.</summary>
public sealed class AsideUsageTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(20);

    [Fact]
    public void This_process_is_asked_for_what_proc_shows()
    {
        using var child = Process.Start(new ProcessStartInfo("sleep", ["300"]))!;
        try
        {
            // Once it sleeps (clock_nanosleep is 230) nothing changes any more.
            Assert.True(SpinWait.SpinUntil(
                () => File.ReadAllText($"/proc/{child.Id}/syscall").StartsWith("230 ", StringComparison.Ordinal), Hang));
            using var proc = new ProcReader();
            var answer = Assert.Single(new AsideUsage(proc, Hang).Read([child.Id, 4194303]), one => one.Value.Disk is not null);
            Assert.Equal(child.Id, answer.Key);
            var read = File.ReadLines($"/proc/{child.Id}/io").Single(line => line.StartsWith("read_bytes: ", StringComparison.Ordinal));
            Assert.Equal(read, $"read_bytes: {answer.Value.Disk!.Value.Read}");
            Assert.Equal(Directory.GetFileSystemEntries($"/proc/{child.Id}/fd").Length, answer.Value.Files);
        }
        finally
        {
            child.Kill();
            child.WaitForExit();
        }
    }

    [Fact]
    public void One_that_stands_still_holds_up_nobody_and_is_asked_again_when_it_goes_on()
    {
        using var desk = new StandingDesk();
        using var proc = new ProcReader(desk);
        var usage = new AsideUsage(proc, TimeSpan.FromMilliseconds(20));
        desk.Hold(7);
        Assert.True(SpinWait.SpinUntil(
            () => usage.Read([1, 7, 9]) is { } answers && answers.ContainsKey(1) && answers.ContainsKey(9), Hang));
        Assert.DoesNotContain(7, usage.Read([7]).Keys);
        Assert.Equal(1, desk.Asked(7)); // not once more while it stands

        desk.LetGo(7);
        Assert.True(SpinWait.SpinUntil(() => usage.Read([7]).ContainsKey(7), Hang));
    }

    [Fact]
    public void Threads_that_are_held_are_few()
    {
        using var desk = new StandingDesk();
        using var proc = new ProcReader(desk);
        var usage = new AsideUsage(proc, TimeSpan.FromMilliseconds(5));
        int[] many = [.. Enumerable.Range(1, 50)];
        Array.ForEach(many, desk.Hold);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Assert.Empty(usage.Read(many));
                return many.Sum(desk.Asked) == AsideUsage.MaximumLeft;
            },
            Hang));
        for (var i = 0; i < 20; i++)
        {
            Assert.Empty(usage.Read(many));
        }

        Assert.Equal(AsideUsage.MaximumLeft, many.Sum(desk.Asked));
        Array.ForEach(many, desk.LetGo);
        HashSet<int> answered = [];
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                answered.UnionWith(usage.Read(many.Except(answered)).Keys);
                return answered.SetEquals(many);
            },
            Hang));
    }

    /// <summary>Answers for any process, but lets who asks for one that is held wait, as the kernel does.</summary>
    private sealed class StandingDesk : IProcDesk
    {
        private readonly Dictionary<int, ManualResetEventSlim> held = [];
        private readonly Dictionary<int, int> asked = [];

        public ProcPrivileges Held => ProcPrivileges.None;

        public long Waited => 0;

        public void Hold(int pid) => held[pid] = new ManualResetEventSlim();

        public void LetGo(int pid) => held[pid].Set();

        public int Asked(int pid)
        {
            lock (asked)
            {
                return asked.GetValueOrDefault(pid);
            }
        }

        public int ReadIo(int pid, Span<byte> target)
        {
            lock (asked)
            {
                asked[pid] = asked.GetValueOrDefault(pid) + 1;
            }

            held.GetValueOrDefault(pid)?.Wait();
            return Encoding.UTF8.GetBytes($"read_bytes: {pid}\nwrite_bytes: 2\n", target);
        }

        public int CountFiles(int pid) => 3;

        public IProcDesk Another() => this;

        public void Ask() => throw new NotSupportedException();

        public int ReadLink(int pid, ProcessLink link, Span<byte> target) => -Errno.EPERM;

        public int OpenMaps(int pid) => -Errno.EPERM;

        public int NameExecutable(int pid) => -Errno.EPERM;

        public int OpenExecutable(int pid) => -Errno.EPERM;

        public bool LeadsTo(int pid, ReadOnlySpan<byte> name, ulong device, ulong inode) => false;

        public int Variables(int pid, Span<byte> target, out bool isEnvironment)
        {
            isEnvironment = false;
            return -Errno.EPERM;
        }

        public void Dispose()
        {
        }
    }
}
