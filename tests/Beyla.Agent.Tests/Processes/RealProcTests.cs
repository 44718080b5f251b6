using System.Diagnostics;
using System.Runtime.InteropServices;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Processes;

/// <summary>The /proc of this machine, and processes that the test starts.</summary>
public sealed class RealProcTests : IDisposable
{
    private readonly List<Process> started = [];
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("beyla-real-");

    [Fact]
    public void This_process_is_dotnet_and_has_its_arguments()
    {
        var proc = new ProcReader();
        using var aside = AsideThread.Enter();
        var executable = proc.ExecutableLink(Environment.ProcessId);
        Assert.Equal(Environment.ProcessPath, executable);
        Assert.Equal(ProcessLanguage.Dotnet, new LanguageDetector(proc).Detect(Environment.ProcessId, executable!));
        Assert.True(proc.TryStat(Environment.ProcessId, out var stat));
        Assert.False(stat.IsKernelThread);
        Assert.Contains(Environment.ProcessId, proc.Pids());
        Assert.Equal(executable, MapsLine.Executable(proc, Environment.ProcessId));
        Assert.Empty(proc.DescribeRefusals());
    }

    [Fact]
    public void A_deleted_executable_keeps_its_path_and_its_environment_names_it()
    {
        var copy = Path.Combine(directory.FullName, "my service");
        File.Copy("/bin/sleep", copy);
        var pid = Start(copy, ["60"], ("OTEL_RESOURCE_ATTRIBUTES", "service.name=night%20shift,service.namespace=eu"));
        File.Delete(copy);
        var info = Select(pid);
        Assert.Equal(
            (copy, "night shift", "eu", ProcessLanguage.Generic),
            (info.Executable, info.ServiceName, info.ServiceNamespace, info.Language));
    }

    [Fact]
    public void A_file_that_is_named_like_a_deleted_one_keeps_its_name()
    {
        var (named, deleted, linked) = (Copy("app (deleted)"), Copy("gone (deleted)"), Copy("linked"));
        var rest = Path.Combine(directory.FullName, "other name");
        int[] pids = [Start(named, ["60"]), Start(deleted, ["60"]), Start(linked, ["60"])];
        File.Delete(deleted);
        // The file goes on under another name.
        File.CreateSymbolicLink(rest, linked);
        Assert.Equal(0, Process.Start("ln", [linked, rest + ".hard"]) is { } ln && ln.WaitForExit(60_000) ? ln.ExitCode : -1);
        File.Delete(linked);
        Assert.Equal([named, deleted, linked], pids.Select(pid => Select(pid).Executable));
        Assert.Equal(["app (deleted)", "gone (deleted)", "linked"], pids.Select(pid => Select(pid).ServiceName));

        // Another file has the marked name by now.
        File.Copy("/bin/sleep", linked + " (deleted)");
        Assert.Equal(linked, Select(pids[2]).Executable);
    }

    [Fact]
    public void A_program_in_memory_and_one_in_a_chroot_are_looked_into()
    {
        using var aside = AsideThread.Enter();
        var systems = new FileSystems(new ProcReader());
        var memory = global::Beyla.Agent.Linux.MemoryFile.Create("beyla");
        Assert.True(ProcCalls.TryIdentify(memory, out var status));
        Assert.True(systems.MayOpen(Environment.ProcessId, status));
        ProcCalls.Close(memory);
        var own = ProcCalls.OpenName("/proc/self/exe"u8);
        Assert.True(ProcCalls.TryIdentify(own, out status));
        ProcCalls.Close(own);
        Assert.True(status is { IsRegular: true, Links: > 0, Mount: not null });
        Assert.True(systems.MayOpen(Environment.ProcessId, status));
        // Where nobody says where it lies, and no block device is behind it.
        var bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref status, 1));
        bytes[136..140].Clear(); // struct statx, linux/stat.h: stx_dev_major, stx_dev_minor, stx_mnt_id
        bytes[140..152].Fill(0xff);
        Assert.Equal((uint.MaxValue, ulong.MaxValue), (status.Identity.Device, status.Mount));
        Assert.False(systems.MayOpen(Environment.ProcessId, status));
    }

    [Fact]
    public void Python_is_python_also_behind_a_launcher()
    {
        var pid = Start("python3", ["-c", "import time; print(1, flush=True); time.sleep(60)"]);
        started[^1].StandardOutput.ReadLine();
        var info = Select(pid);
        Assert.Equal(ProcessLanguage.Python, info.Language);
        Assert.StartsWith("python3", info.ServiceName, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shell_that_becomes_another_program_is_judged_by_that()
    {
        var pid = Start("/bin/sh", ["-c", "read line; exec sleep 60"]);
        var kernel = new FakeKernel();
        var table = Table(kernel, new SelectionRule { Origin = "test", ExecutablePath = TableRig.Glob("*/sleep") });
        table.Start();
        Assert.Null(table.Find(pid, 0));
        started[^1].StandardInput.WriteLine();
        var proc = new ProcReader();
        Assert.True(SpinWait.SpinUntil(
            () => proc.ExecutableLink(pid)?.EndsWith("/sleep", StringComparison.Ordinal) == true,
            TimeSpan.FromSeconds(20)));
        table.OnProcessEvent(new Agent.Kernel.ProcessEvent
        {
            Kind = Agent.Kernel.ProcessEventKind.Exec,
            Pid = (uint)pid,
            Time = (ulong)Stopwatch.GetTimestamp(),
        });
        Assert.Equal("sleep", table.Find(pid, 0)!.ServiceName);
        Assert.Contains(pid, kernel.Pids);
    }

    [Fact]
    public void A_zombie_is_gone()
    {
        // What the shell becomes does not wait for its child, so that stays a zombie.
        _ = Start("/bin/sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"]);
        var child = int.Parse(started[^1].StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
        var proc = new ProcReader();
        Assert.True(SpinWait.SpinUntil(() => !proc.TryStat(child, out _), TimeSpan.FromSeconds(20)));
        Assert.True(Directory.Exists($"/proc/{child}"));
        var kernel = new FakeKernel();
        Table(kernel, new SelectionRule { Origin = "test", TargetPids = TableRig.Ranges($"{child}") }).Start();
        Assert.Empty(kernel.Pids);
    }

    [Fact]
    public void All_processes_of_the_machine_are_looked_at_without_error()
    {
        var kernel = new FakeKernel();
        var table = Table(kernel, new SelectionRule { Origin = "test", Languages = TableRig.Glob("*") });
        table.Start();
        Assert.Contains(table.Selected, info => info.Pid == Environment.ProcessId && info.Language == ProcessLanguage.Dotnet);
        Assert.Equal(kernel.Pids.Order(), table.Selected.Select(info => info.Pid).Order());
    }

    public void Dispose()
    {
        foreach (var process in started)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        directory.Delete(true);
    }

    // Another own pid than that of this process, whose children the processes are.
    private static ProcessTable Table(FakeKernel kernel, SelectionRule rule)
    {
        var proc = new ProcReader();
        var rules = new SelectionRules { Rules = [rule], OwnPid = int.MaxValue };
        return new ProcessTable(rules, kernel, kernel, proc, new InlineInspections(proc, kernel));
    }

    private static ProcessInfo Select(int pid)
    {
        var kernel = new FakeKernel();
        var table = Table(kernel, new SelectionRule { Origin = "test", TargetPids = TableRig.Ranges($"{pid}") });
        table.Start();
        Assert.Equal([pid], kernel.Pids);
        return table.Find(pid, 0)!;
    }

    private string Copy(string name)
    {
        var copy = Path.Combine(directory.FullName, name);
        File.Copy("/bin/sleep", copy);
        return copy;
    }

    private int Start(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment.Remove("OTEL_SERVICE_NAME");
        start.Environment.Remove("OTEL_RESOURCE_ATTRIBUTES");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        started.Add(process);
        return process.Id;
    }
}
