using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using static Beyla.Agent.Tests.Processes.TableRig;

namespace Beyla.Agent.Tests.Processes;

/// <summary>fork, execve and exit of traced processes, and pids that come back.</summary>
public sealed class ProcessLifeTests
{
    private static TableRig Server()
    {
        var rig = new TableRig([Ports("8080")]);
        rig.Proc.Add(10, "/srv/web", environment: ["OTEL_SERVICE_NAME=shop"]);
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        return rig;
    }

    [Fact]
    public void A_child_has_the_identity_of_its_parent_without_a_look_at_proc()
    {
        using var rig = Server();
        // There is no directory of pid 20: reading it would answer "gone".
        rig.Fork(10, 20);
        rig.Fork(20, 21);
        Assert.Equal((20, "shop"), (rig.Table.Find(20, 0)!.Pid, rig.Table.Find(20, 0)!.ServiceName));
        Assert.Equal((21, "shop"), (rig.Table.Find(21, 8080)!.Pid, rig.Table.Find(21, 8080)!.ServiceName));
        Assert.Equal([0], rig.Kernel.Scans);
    }

    [Fact]
    public void What_a_short_lived_child_sent_is_still_its_own_for_a_while()
    {
        using var rig = Server();
        for (var child = 1000; child < 3000; child++)
        {
            rig.Fork(10, child);
            rig.Exit(child);
        }

        for (var child = 1000; child < 3000; child++)
        {
            Assert.Equal("shop", rig.Table.Find(child, 8080)!.ServiceName);
        }

        Assert.Single(rig.Table.Selected);
        Assert.Equal((4000, 4000), (rig.Counters.Produced, rig.Counters.Aggregated));
        rig.Table.OnTick(rig.Now += 4_900_000_000);
        Assert.NotNull(rig.Table.Find(2999, 0));
        rig.Table.OnTick(rig.Now += 200_000_000);
        Assert.Null(rig.Table.Find(2999, 0));
        Assert.NotNull(rig.Table.Find(10, 0));
    }

    [Fact]
    public void A_child_that_runs_another_program_is_not_traced()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        rig.Proc.Add(20, "/usr/bin/curl", parent: 10);
        rig.Exec(20, "/usr/bin/curl");
        Assert.Null(rig.Table.Find(20, 0));
        Assert.DoesNotContain(20, rig.Kernel.Pids);
        Assert.Equal([0, 20], rig.Kernel.Scans);
        Assert.NotNull(rig.Table.Find(10, 0));
    }

    [Fact]
    public void A_child_that_keeps_the_listening_socket_over_execve_is_traced_as_itself()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        rig.Kernel.Listeners.Add((20, 8080));
        rig.Proc.Add(20, "/srv/worker", parent: 10);
        rig.Exec(20, "/srv/worker");
        Assert.Equal("worker", rig.Table.Find(20, 0)!.ServiceName);
        Assert.Contains(20, rig.Kernel.Pids);
    }

    [Fact]
    public void A_child_that_runs_a_program_that_a_rule_wants_is_traced()
    {
        using var rig = new TableRig([Ports("8080"), Exe("*/curl", "crawler")]);
        rig.Proc.Add(10, "/srv/web");
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        rig.Fork(10, 20);
        rig.Proc.Add(20, "/usr/bin/curl");
        rig.Exec(20, "/usr/bin/curl");
        Assert.Equal("crawler", rig.Table.Find(20, 0)!.ServiceName);
        // And one from an untraced shell.
        rig.Proc.Add(30, "/usr/bin/curl");
        rig.Exec(30, "/usr/bin/curl");
        Assert.Equal("crawler", rig.Table.Find(30, 0)!.ServiceName);
        rig.Proc.Add(31, "/usr/bin/wget");
        rig.Exec(31, "/usr/bin/wget");
        Assert.Null(rig.Table.Find(31, 0));
    }

    [Fact]
    public void A_program_that_replaces_itself_has_a_new_identity()
    {
        using var rig = Server();
        rig.Proc.Add(10, "/srv/web-v2", environment: ["OTEL_SERVICE_NAME=shop2"]);
        rig.Exec(10, "/srv/web-v2");
        Assert.Equal(("shop2", "/srv/web-v2"), (rig.Table.Find(10, 0)!.ServiceName, rig.Table.Find(10, 0)!.Executable));
    }

    [Fact]
    public void A_pid_that_comes_back_is_someone_else()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        rig.Exit(20);
        Assert.NotNull(rig.Table.Find(20, 0));
        // The new process of that pid listens on a port that is not wanted, then the pid comes back as a traced child.
        rig.Proc.Add(20, "/usr/bin/other", start: 5000);
        rig.Kernel.Pids.Add(20);
        rig.Exec(20, "/usr/bin/other");
        Assert.Null(rig.Table.Find(20, 0));
        rig.Fork(10, 20);
        rig.Table.OnTick(rig.Now += 6_000_000_000);
        Assert.Equal("shop", rig.Table.Find(20, 0)!.ServiceName);
    }

    [Fact]
    public void Events_that_arrive_late_do_not_touch_a_newer_process()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        var since = (ulong)rig.Now;
        foreach (var kind in new[] { ProcessEventKind.Exit, ProcessEventKind.Exec, ProcessEventKind.Listen, ProcessEventKind.Fork })
        {
            rig.Table.OnProcessEvent(new ProcessEvent
            {
                Kind = kind, Pid = 20, Parent = 99, Port = 8080, Selected = ProcessSelection.Selected, Time = since - 1,
            });
        }

        rig.Table.OnTick(rig.Now += 6_000_000_000);
        Assert.Equal("shop", rig.Table.Find(20, 0)!.ServiceName);
        Assert.Equal((1, 4), (rig.Counters.Aggregated, rig.Counters.Filtered));
    }

    /// <summary>
    /// A program begins to listen while the event of its beginning is judged: it stays traced until the later event is read. That says
    /// nothing new of a process that is excluded by then, and it is traced no longer.
    /// </summary>
    [Fact]
    public void A_process_that_was_selected_while_it_was_excluded_is_let_go_by_the_event()
    {
        using var rig = new TableRig([Ports("8080")], [Exe("*/secret")]);
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/secret");
        rig.Listen(10, 8080);
        Assert.Contains(10, rig.Kernel.Excluded);
        // Both before the exclusion reached the kernel side: one is older than what is known, one is not.
        foreach (var time in (long[])[rig.Now - 1, rig.Now + 1])
        {
            rig.Kernel.Pids.Add(10);
            rig.Kernel.Renewed.Add(10);
            rig.Kernel.Exclude(10);
            Assert.Contains(10, rig.Kernel.Pids);
            rig.Table.OnProcessEvent(new ProcessEvent
            {
                Kind = ProcessEventKind.Listen, Pid = 10, Port = 8080, Selected = ProcessSelection.Tentative, Time = (ulong)time,
            });
            Assert.DoesNotContain(10, rig.Kernel.Pids);
        }
    }

    [Fact]
    public void Events_from_before_the_start_do_not_undo_what_was_seen_at_the_start()
    {
        using var rig = Server();
        rig.Table.OnProcessEvent(new ProcessEvent { Kind = ProcessEventKind.Exit, Pid = 10, Time = 999_999_999 });
        Assert.Equal("shop", Assert.Single(rig.Table.Selected).ServiceName);
    }

    [Fact]
    public void A_child_of_a_parent_whose_selection_was_lost_is_found_out()
    {
        using var rig = Server();
        // The event that 40 listens was lost, 41 is a child that the kernel side selected by mistake of 50.
        rig.Proc.Add(40, "/srv/late").Add(50, "/srv/none");
        rig.Kernel.Listeners.Add((40, 8080));
        rig.Kernel.Pids.UnionWith([40, 50]);
        rig.Fork(40, 41);
        rig.Fork(50, 51);
        Assert.Equal("late", rig.Table.Find(41, 0)!.ServiceName);
        Assert.Equal("late", rig.Table.Find(40, 0)!.ServiceName);
        Assert.Null(rig.Table.Find(51, 0));
        Assert.DoesNotContain(51, rig.Kernel.Pids);
        Assert.DoesNotContain(50, rig.Kernel.Pids);
    }

    [Fact]
    public void A_child_of_an_excluded_parent_is_excluded()
    {
        using var rig = new TableRig([Ports("8080")], [Exe("*/secret")]);
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/secret").Add(20, "/srv/secret", parent: 10);
        rig.Listen(10, 8080);
        // Forked before the veto reached the kernel.
        rig.Kernel.Pids.UnionWith([20, 21]);
        rig.Send(new ProcessEvent { Kind = ProcessEventKind.Fork, Pid = 20, Parent = 10, Selected = ProcessSelection.Selected });
        rig.Send(new ProcessEvent { Kind = ProcessEventKind.Fork, Pid = 21, Parent = 10, Selected = ProcessSelection.Selected });
        Assert.Contains(20, rig.Kernel.Excluded);
        Assert.DoesNotContain(21, rig.Kernel.Excluded);
        Assert.DoesNotContain(20, rig.Kernel.Pids);
        Assert.DoesNotContain(21, rig.Kernel.Pids);
        Assert.Null(rig.Table.Find(20, 8080));
    }

    [Fact]
    public void Random_events_leave_the_table_bounded_and_the_sums_right()
    {
        using var rig = new TableRig([Ports("1-4"), Exe("/srv/a")], [Exe("/srv/b")], new ProcessTableOptions { MaximumProcesses = 40 });
        var random = new Random(7);
        for (var pid = 1; pid < 30; pid++)
        {
            rig.Proc.Add(pid, "/srv/" + (char)('a' + pid % 3), start: pid);
        }

        rig.Table.Start();
        for (var i = 0; i < 5000; i++)
        {
            var e = new ProcessEvent
            {
                Kind = (ProcessEventKind)random.Next(0, 7), Pid = (uint)random.Next(1, 80), Parent = (uint)random.Next(1, 80),
                Port = (ushort)random.Next(0, 8), Selected = (ProcessSelection)random.Next(3), Time = (ulong)(rig.Now + random.Next(-5, 5)),
            };
            rig.Now += random.Next(0, 10_000_000);
            rig.Table.OnProcessEvent(e);
            rig.Table.Find(random.Next(1, 100), random.Next(0, 8));
            rig.Table.OnTick(rig.Now);
        }

        Assert.True(rig.Counters.Balanced);
        Assert.Equal(5000, rig.Counters.Produced);
        Assert.True(rig.Table.Selected.Count() <= 40);
        Assert.All(rig.Table.Selected, info => Assert.NotEqual("b", info.ServiceName));
    }
}
