using System.Text;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Processes;

public sealed class ProcReaderTests : IDisposable
{
    private readonly FakeProc proc = new();
    private readonly AsideThread.Scope aside = AsideThread.Enter();

    private ProcReader Reader => new(proc.Root);

    [Fact]
    public void A_process_that_is_gone_is_absent_and_not_counted()
    {
        var reader = Reader;
        var state = 0;
        Assert.False(reader.TryStat(10, out _));
        Assert.Null(reader.ExecutableLink(10));
        Assert.Null(reader.CommandLine(10));
        Assert.Null(reader.Command(10));
        Assert.False(reader.VisitMaps(10, static (_, ref _) => true, ref state));
        Assert.False(reader.VisitEnvironment(10, static (_, ref _) => true, ref state));
        Assert.True(reader.NameExecutable(10) < 0);
        Assert.True(reader.OpenExecutable(10, -1) < 0);
        Assert.Empty(reader.DescribeRefusals());
    }

    [Fact]
    public void What_is_refused_is_counted_once_per_process_and_says_what_would_help()
    {
        proc.Add(10).Add(11);
        var reader = new ProcReader(proc.Root, new Refusing());
        var state = 0;
        for (var i = 0; i < 3; i++)
        {
            Assert.Null(reader.ExecutableLink(10));
            Assert.Null(reader.ExecutableLink(11));
            Assert.False(reader.VisitEnvironment(10, static (_, ref _) => true, ref state));
            Assert.True(reader.TryStat(10, out _));
        }

        Assert.Equal(
            (2, 1, 0), (reader.Refusals(ProcFile.Executable), reader.Refusals(ProcFile.Environment), reader.Refusals(ProcFile.Maps)));
        Assert.Collection(
            reader.DescribeRefusals(),
            text => Assert.Contains(
                "/PID/exe not readable for 2 processes: EACCES: CAP_SYS_PTRACE missing", text, StringComparison.Ordinal),
            text => Assert.Contains("/PID/environ not readable for 1 processes: EACCES: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH missing",
                text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_refusal_in_spite_of_the_capability_is_not_called_missing()
    {
        proc.Add(10);
        var reader = new ProcReader(proc.Root, new Refusing { Held = ProcPrivileges.Ptrace });
        var state = 0;
        Assert.Null(reader.ExecutableLink(10));
        Assert.False(reader.VisitEnvironment(10, static (_, ref _) => true, ref state));
        Assert.Collection(
            reader.DescribeRefusals(),
            text => Assert.Contains("for 1 processes: EACCES: CAP_SYS_PTRACE is held but not enough", text, StringComparison.Ordinal),
            text => Assert.Contains(
                "for 1 processes: EACCES: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH missing", text, StringComparison.Ordinal));
    }

    [Fact]
    public void Capabilities_are_raised_only_for_the_files_that_need_them()
    {
        proc.Add(10, "/srv/app", maps: "1-2 r-xp 0 0:0 1 /srv/app\n");
        var privilege = new Recording();
        var reader = new ProcReader(proc.Root, privilege);
        var state = 0;
        reader.TryStat(10, out _);
        reader.CommandLine(10);
        reader.Command(10);
        Assert.Empty(privilege.Asked);
        reader.ExecutableLink(10);
        reader.VisitEnvironment(10, static (_, ref _) => true, ref state);
        reader.VisitMaps(10, static (_, ref _) => true, ref state);
        reader.NameExecutable(10);
        reader.OpenExecutable(10, -1);
        Assert.Equal(
            [
                ProcPrivileges.Ptrace,
                ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch | ProcPrivileges.PerformanceMonitoring,
                ProcPrivileges.Ptrace | ProcPrivileges.PerformanceMonitoring,
                ProcPrivileges.Ptrace,
                ProcPrivileges.Ptrace | ProcPrivileges.ReadSearch,
            ], privilege.Asked);
    }

    [Fact]
    public void Without_the_link_the_maps_tell_the_executable_and_without_them_execve_does()
    {
        using var rig = new TableRig([TableRig.Exe("/srv/*")]);
        rig.Proc.Add(10, "", maps: "10-20 r--p 0 08:01 1 /var/cache/data\n55-56 r--p 0 08:01 1 /srv/web (deleted)\n"
            + "56-57 r-xp 0 08:01 1 /srv/web (deleted)\n7f-80 r-xp 0 08:01 2 /lib/libc.so.6\n");
        rig.Proc.Add(11, "", arguments: ["/srv/daemon", "-d"]).Add(12, "", arguments: ["daemon: worker"]);
        rig.Table.Start();
        Assert.Equal("/srv/web", rig.Table.Find(10, 0)!.Executable);
        Assert.Equal("/srv/daemon", rig.Table.Find(11, 0)!.Executable);
        Assert.Null(rig.Table.Find(12, 0));
        rig.Exec(12, "/srv/worker");
        Assert.Equal("/srv/worker", rig.Table.Find(12, 0)!.Executable);
    }

    [Fact]
    public void Stat_is_read_behind_any_name()
    {
        proc.Add(10, command: ") R 5 (", parent: 42, start: 777).Add(11, state: 'Z').Add(12, flags: 0x00200040);
        Assert.True(Reader.TryStat(10, out var stat));
        Assert.Equal(new ProcStat(42, false, 777), stat);
        Assert.False(Reader.TryStat(11, out _));
        Assert.True(Reader.TryStat(12, out stat));
        Assert.True(stat.IsKernelThread);
        string[] bad = ["", ")", "1 (a)", "1 (a) S", "1 (a) S x 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5", "1 (a) S 1 1 1 0 -1 0"];
        foreach (var text in bad)
        {
            File.WriteAllText(proc[10, "stat"], text);
            Assert.False(Reader.TryStat(10, out _));
        }
    }

    [Fact]
    public void Arguments_are_joined_and_bounded()
    {
        proc.Add(10, arguments: ["/bin/app", "a", "", "b c"])
            .Add(11, arguments: ["/bin/app"]).Add(12, arguments: ["x", new string('y', 100_000)]);
        Assert.Equal(("/bin/app", "a  b c"), Reader.CommandLine(10));
        Assert.Equal(("/bin/app", ""), Reader.CommandLine(11));
        Assert.Equal(16 * 1024 - 2, Reader.CommandLine(12)!.Value.Arguments.Length);
        File.WriteAllBytes(proc[10, "cmdline"], []);
        Assert.Null(Reader.CommandLine(10));
        File.WriteAllBytes(proc[10, "cmdline"], [0]);
        Assert.Equal(("", ""), Reader.CommandLine(10));
    }

    [Fact]
    public void Every_piece_is_shown_whole_wherever_reads_end()
    {
        var pieces = Enumerable.Range(0, 3000).Select(static i => $"V{i}=" + new string((char)('a' + i % 26), i % 97)).ToArray();
        proc.Add(10, environment: pieces);
        var seen = new List<string>();
        Assert.True(Reader.VisitEnvironment(10, static (piece, ref seen) =>
        {
            seen.Add(Encoding.UTF8.GetString(piece));
            return true;
        }, ref seen));
        Assert.Equal(pieces, seen);

        // One that is longer than what is read at once is left out, and those around it are not.
        proc.Add(10, environment: ["A=1", new string('x', 64 * 1024), "B=2", new string('y', 200_000), "C=3"]);
        seen.Clear();
        Reader.VisitEnvironment(10, static (piece, ref seen) =>
        {
            seen.Add(Encoding.UTF8.GetString(piece));
            return true;
        }, ref seen);
        Assert.Equal(["A=1", "B=2", "C=3"], seen);
    }

    public void Dispose()
    {
        aside.Dispose();
        proc.Dispose();
    }

    private sealed class Refusing : IProcPrivilege
    {
        public ProcPrivileges Held { get; init; }

        public int Run(ProcPrivileges needed, in ProcCall systemCall) => -Errno.EACCES;
    }

    private sealed class Recording : IProcPrivilege
    {
        public List<ProcPrivileges> Asked { get; } = [];

        public int Run(ProcPrivileges needed, in ProcCall systemCall)
        {
            Asked.Add(needed);
            return systemCall.Make();
        }
    }
}
