using Beyla.Agent.Processes;
using Beyla.Agent.Selection;
using static Beyla.Agent.Tests.Processes.TableRig;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Events that were lost: what they would have told is found in /proc.</summary>
public sealed class ReconciliationTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void A_process_whose_execve_was_lost_is_traced()
    {
        using var rig = new TableRig([Exe("/srv/*")]);
        rig.Table.Start();
        rig.Proc.Add(10).Add(11, "/usr/bin/other");
        rig.Table.OnTick(rig.Now += Second);
        Assert.Null(rig.Table.Find(10, 0));
        rig.Lose(7);
        Assert.Equal("app", rig.Table.Find(10, 0)!.ServiceName);
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.Equal([7], rig.LostLog);
        Assert.Equal(10, Assert.Single(rig.SelectedLog).Pid);
    }

    [Fact]
    public void A_listener_whose_listen_was_lost_is_traced_and_others_are_not_opened()
    {
        using var rig = new TableRig([Ports("8080") with { ExecutablePath = Glob("/srv/*") }]);
        rig.Table.Start();
        rig.Proc.Add(10).Add(11, "/usr/bin/other").Add(12);
        rig.Kernel.Listeners.AddRange([(10, 8080), (11, 8080)]);
        rig.Lose();
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.NotNull(rig.Table.Find(10, 8080));
        Assert.Equal([0, 0], rig.Kernel.Scans);
    }

    [Fact]
    public void A_further_port_of_a_known_process_is_taken_in_also_where_it_excludes()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Ports("9999")]);
        rig.Proc.Add(10).Add(11);
        rig.Table.Start();
        Assert.Equal([10, 11], rig.Kernel.Pids.Order());
        rig.Kernel.Listeners.AddRange([(10, 9999), (11, 8080)]);
        rig.Lose();
        Assert.Equal([11], rig.Kernel.Pids);
        Assert.Contains(10, rig.Kernel.Excluded);
    }

    [Fact]
    public void A_child_whose_fork_was_lost_is_its_parents()
    {
        using var rig = new TableRig([new SelectionRule { Origin = "test", TargetPids = Ranges("10"), ServiceName = "parent" }]);
        rig.Proc.Add(10).Add(12);
        rig.Table.Start();
        // The kernel side selects the child whether or not it can tell of it.
        rig.Proc.Add(11, parent: 10);
        rig.Kernel.Pids.Add(11);
        rig.Lose();
        Assert.Equal((11, "parent"), (rig.Table.Find(11, 0)!.Pid, rig.Table.Find(11, 0)!.ServiceName));
        Assert.Equal([10, 11], rig.Kernel.Pids.Order());
    }

    [Fact]
    public void A_child_that_has_become_another_program_is_judged_by_the_rules()
    {
        using var rig = new TableRig([Exe("/srv/*")]);
        rig.Proc.Add(10);
        rig.Table.Start();
        rig.Proc.Add(11, "/usr/bin/curl", parent: 10);
        rig.Kernel.Pids.Add(11);
        rig.Lose();
        Assert.Null(rig.Table.Find(11, 0));
        Assert.Equal([10], rig.Kernel.Pids);
    }

    [Fact]
    public void One_whose_end_was_lost_is_forgotten_after_a_while()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Exe("/srv/secret")]);
        rig.Proc.Add(10).Add(11, "/srv/secret");
        rig.Table.Start();
        foreach (var pid in new[] { 10, 11 })
        {
            rig.Proc.Remove(pid);
        }

        rig.Kernel.Pids.Clear();
        rig.Kernel.Excluded.Remove(11);
        rig.Lose();
        // What it sent last may still be read.
        Assert.NotNull(rig.Table.Find(10, 0));
        rig.Table.OnTick(rig.Now += 6 * Second);
        Assert.Null(rig.Table.Find(10, 0));
        Assert.Empty(rig.Table.Selected);
        Assert.Equal([OwnPid], rig.Kernel.Excluded);
    }

    [Fact]
    public void Another_program_or_process_of_a_known_pid_is_judged_anew()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Exe("/srv/secret")]);
        rig.Proc.Add(10).Add(11).Add(12, "/srv/secret").Add(13, environment: ["OTEL_SERVICE_NAME=first"]);
        rig.Table.Start();
        rig.Proc.Add(10, "/usr/bin/other").Add(11, "/srv/next").Add(12).Add(13, environment: ["OTEL_SERVICE_NAME=second"], start: 2000);
        // The end of the first process of pid 13 took the bit with it.
        rig.Kernel.Pids.Remove(13);
        rig.Lose();
        Assert.Null(rig.Table.Find(10, 0));
        Assert.Equal("next", rig.Table.Find(11, 0)!.ServiceName);
        Assert.Equal("app", rig.Table.Find(12, 0)!.ServiceName);
        Assert.Equal("second", rig.Table.Find(13, 0)!.ServiceName);
        Assert.Equal([11, 12, 13], rig.Kernel.Pids.Order());
    }

    [Fact]
    public void Children_that_end_at_once_take_no_place_from_one_that_runs()
    {
        using var rig = new TableRig([Exe("/srv/*")], options: new ProcessTableOptions { MaximumProcesses = 10 });
        rig.Proc.Add(10);
        rig.Table.Start();
        for (var child = 100; child < 150; child++)
        {
            rig.Fork(10, child);
            rig.Exit(child);
        }

        rig.Proc.Add(11, "/srv/other");
        rig.Exec(11, "/srv/other");
        Assert.Equal("other", rig.Table.Find(11, 0)!.ServiceName);
        // The newest of those that ended are remembered as far as there is room.
        Assert.Equal((149, null), (rig.Table.Find(149, 0)!.Pid, rig.Table.Find(100, 0)));
        Assert.Equal(0, rig.Counters.Lost);
    }

    [Fact]
    public void Without_a_loss_nobody_is_looked_at_and_while_it_goes_on_there_is_a_pause()
    {
        using var rig = new TableRig([Exe("/srv/*"), Ports("8080")]);
        rig.Kernel.Lost = uint.MaxValue;
        rig.Lose(0);
        var before = rig.Kernel.Scans.Count;
        for (var i = 0; i < 100; i++)
        {
            rig.Table.OnTick(rig.Now += Second / 10);
        }

        Assert.Equal(before, rig.Kernel.Scans.Count);
        // The count wraps, and each tick finds more of it.
        for (var i = 0; i < 100; i++)
        {
            rig.Kernel.Lost += 2;
            rig.Table.OnTick(rig.Now += Second / 10);
        }

        Assert.InRange(rig.Kernel.Scans.Count - before, 9, 11);
        rig.Table.OnTick(rig.Now += Second);
        Assert.Equal([uint.MaxValue, 200], [rig.LostLog[0], rig.LostLog.Skip(1).Sum()]);
    }

    [Fact]
    public void Who_runs_many_processes_does_not_keep_those_of_others_waiting_nor_the_agent()
    {
        const int Many = 20_000, Victim = 30_000;
        long now = 0;
        var round = new Reconciliation(static pid => pid < Victim ? 1000u : 2000u);
        Assert.True(round.IsDue(5, now, out var since));
        Assert.Equal(5, since);
        round.Begin(5, now, [.. Enumerable.Range(1, Many), Victim]);
        List<(int Pid, long At)> taken = [];
        for (; round.IsRunning; now += Second / 10)
        {
            var count = taken.Count;
            taken.AddRange(round.Take(() => now).Select(pid => (pid, now)));
            Assert.InRange(taken.Count - count, 0, Reconciliation.PerSecond);
        }

        Assert.Equal(Many + 1, taken.Select(static one => one.Pid).Distinct().Count());
        Assert.InRange(taken.FindIndex(static one => one.Pid == Victim), 0, 1);
        Assert.InRange(taken[^1].At / Second, Many / Reconciliation.PerSecond, 40);
        Assert.False(round.IsDue(5, now + Second, out _));
    }

    [Fact]
    public void A_round_that_was_costly_is_followed_by_a_long_rest()
    {
        long now = 0;
        var round = new Reconciliation(static _ => 0);
        round.Begin(1, now, [1]);
        foreach (var pid in round.Take(() => now))
        {
            now += pid * Second;
        }

        Assert.False(round.IsRunning);
        Assert.False(round.IsDue(2, now + 19 * Second, out _));
        Assert.True(round.IsDue(2, now + 21 * Second, out _));
    }
}
