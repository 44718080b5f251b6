using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Selection;
using static Beyla.Agent.Tests.Processes.TableRig;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Who is selected, and why not.</summary>
public sealed class ProcessTableTests
{
    [Fact]
    public void A_process_that_listens_on_a_selected_port_when_the_agent_starts_is_traced()
    {
        using var rig = new TableRig([Ports("8080,9000-9002")]);
        rig.Proc.Add(10, "/srv/web").Add(11, "/srv/other").Add(12, "/srv/idle");
        rig.Kernel.Listeners.AddRange([(10, 8080), (11, 7000)]);
        rig.Table.Start();
        Assert.Equal("web", rig.Table.Find(10, 0)!.ServiceName);
        Assert.Null(rig.Table.Find(11, 0));
        Assert.Null(rig.Table.Find(12, 0));
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.Equal([8080, 9000, 9001, 9002], rig.Kernel.Ports.Order());
        Assert.False(rig.NeedsEveryExec);
        Assert.Equal(10, Assert.Single(rig.Table.Selected).Pid);
    }

    [Fact]
    public void A_process_that_begins_to_listen_later_is_traced_from_then_on()
    {
        using var rig = new TableRig([Ports("8080")]);
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/web");
        rig.Listen(10, 7000);
        Assert.Null(rig.Table.Find(10, 0));
        rig.Listen(10, 8080);
        Assert.Equal("/srv/web", rig.Table.Find(10, 0)!.Executable);
        Assert.Equal((2, 1, 1, 0), (rig.Counters.Produced, rig.Counters.Aggregated, rig.Counters.Filtered, rig.Counters.Lost));
    }

    [Fact]
    public void All_criteria_of_a_rule_must_hold_and_the_port_is_then_not_given_to_the_kernel()
    {
        using var rig = new TableRig([Exe("/srv/web*") with { OpenPorts = Ranges("8080") }]);
        rig.Proc.Add(10, "/srv/web").Add(11, "/srv/other").Add(12, "/srv/web2");
        rig.Kernel.Listeners.AddRange([(10, 8080), (11, 8080), (12, 7000)]);
        rig.Table.Start();
        Assert.Empty(rig.Kernel.Ports);
        Assert.Equal([10], rig.Kernel.Pids);
        rig.Listen(12, 8080);
        Assert.Equal([10, 12], rig.Kernel.Pids.Order());
        Assert.Null(rig.Table.Find(11, 8080));
    }

    [Fact]
    public void One_of_several_rules_is_enough_and_an_exclusion_forbids_it()
    {
        using var rig = new TableRig(
            [Exe("/srv/*"), Pattern("^/opt/.*d$"), new SelectionRule { Origin = "test", TargetPids = Ranges("13,14") }], [Exe("*/secret")]);
        rig.Proc.Add(10, "/srv/web").Add(11, "/opt/feed").Add(12, "/opt/feeder")
            .Add(13, "/usr/bin/x").Add(14, "/usr/bin/secret").Add(15, "/srv/secret");
        rig.Table.Start();
        Assert.Equal([10, 11, 13], rig.Kernel.Pids.Order());
        Assert.Equal([14, 15, OwnPid], rig.Kernel.Excluded.Order());
        Assert.Null(rig.Table.Find(15, 0));
    }

    [Fact]
    public void Arguments_select()
    {
        using var rig = new TableRig([new SelectionRule { Origin = "test", CommandArguments = Glob("*--role=api*") }]);
        rig.Proc.Add(10, arguments: ["app", "-v", "--role=api", "x"]).Add(11, arguments: ["app", "--role=batch"]).Add(12, arguments: []);
        rig.Table.Start();
        Assert.Equal([10], rig.Kernel.Pids);
    }

    [Fact]
    public void The_port_of_the_kernel_is_vetoed_by_an_exclusion()
    {
        using var rig = new TableRig([Ports("8080")], [Exe("*/secret")]);
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/secret");
        rig.Listen(10, 8080);
        Assert.DoesNotContain(10, rig.Kernel.Pids);
        Assert.Contains(10, rig.Kernel.Excluded);
        Assert.Null(rig.Table.Find(10, 8080));
        // A child of it serves on the port: excluded like its parent, and looked at once.
        rig.Proc.Add(11, "/srv/secret", parent: 10);
        Assert.Null(rig.Table.Find(11, 8080));
        Assert.Contains(11, rig.Kernel.Excluded);
        rig.Proc.Remove(11);
        Assert.Null(rig.Table.Find(11, 8080));
        // And one that is gone before it can be looked at.
        Assert.Null(rig.Table.Find(12, 8080));
        Assert.DoesNotContain(12, rig.Kernel.Excluded);
    }

    [Fact]
    public void Another_program_in_an_excluded_process_is_judged_anew()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Exe("*/secret")]);
        rig.Proc.Add(10, "/srv/secret");
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/web");
        rig.Exec(10, "/srv/web");
        Assert.Equal("web", rig.Table.Find(10, 0)!.ServiceName);
        Assert.DoesNotContain(10, rig.Kernel.Excluded);
        rig.Proc.Add(10, "/usr/bin/less");
        rig.Exec(10, "/usr/bin/less");
        Assert.Null(rig.Table.Find(10, 0));
        Assert.DoesNotContain(10, rig.Kernel.Pids);
    }

    [Fact]
    public void A_process_that_begins_to_listen_on_an_excluded_port_is_dropped()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Ports("9999")]);
        rig.Proc.Add(10, "/srv/web");
        rig.Table.Start();
        rig.Listen(10, 8080);
        Assert.NotNull(rig.Table.Find(10, 0));
        rig.Listen(10, 9999);
        Assert.Null(rig.Table.Find(10, 0));
        Assert.Contains(10, rig.Kernel.Excluded);
        rig.Exit(10);
        Assert.DoesNotContain(10, rig.Kernel.Excluded);
    }

    [Fact]
    public void The_agent_and_its_children_are_never_traced()
    {
        using var rig = new TableRig([Exe("*")]);
        rig.Proc.Add(OwnPid, "/bin/beyla").Add(78, "/bin/helper", parent: OwnPid)
            .Add(79, "/bin/helper", parent: 78).Add(80, "/bin/other", parent: 1);
        rig.Table.Start();
        Assert.Equal([80], rig.Kernel.Pids);
        Assert.Equal([OwnPid, 78, 79], rig.Kernel.Excluded.Order());
        rig.Exec(OwnPid, "/bin/beyla");
        rig.Listen(OwnPid, 8080);
        Assert.Null(rig.Table.Find(OwnPid, 8080));
        Assert.Contains(OwnPid, rig.Kernel.Excluded);
    }

    [Fact]
    public void Kernel_threads_and_zombies_are_not_traced()
    {
        using var rig = new TableRig([new SelectionRule { Origin = "test", TargetPids = Ranges("10-12") }]);
        rig.Proc.Add(10, "", flags: 0x200000).Add(11, state: 'Z').Add(12, command: "odd) Z (name");
        rig.Table.Start();
        Assert.Equal([12], rig.Kernel.Pids);
    }

    [Fact]
    public void A_language_selects_also_when_the_runtime_is_loaded_after_execve()
    {
        using var rig = new TableRig([Language("{java,dotnet}")]);
        rig.Proc.Add(10, maps: "7f00-7f01 r-xp 0 08:01 1   /opt/jdk/lib/server/libjvm.so\n");
        rig.Table.Start();
        Assert.Equal(ProcessLanguage.Java, rig.Table.Find(10, 0)!.Language);
        Assert.True(rig.NeedsEveryExec);

        rig.Proc.Add(11);
        rig.Exec(11);
        Assert.Null(rig.Table.Find(11, 0));
        File.WriteAllText(rig.Proc[11, "maps"], "7f00-7f01 r-xp 0 08:01 1   /opt/dotnet/libcoreclr.so (deleted)\n");
        rig.Table.OnTick(rig.Now += 400_000_000);
        Assert.Null(rig.Table.Find(11, 0));
        rig.Table.OnTick(rig.Now += 200_000_000);
        Assert.Equal(ProcessLanguage.Dotnet, rig.Table.Find(11, 0)!.Language);
        Assert.Equal([10, 11], rig.Kernel.Pids.Order());
    }

    [Fact]
    public void A_process_that_turns_out_to_be_of_an_excluded_language_is_dropped()
    {
        using var rig = new TableRig([Exe("/srv/*")], [Language("java")]);
        rig.Table.Start();
        rig.Proc.Add(10);
        rig.Exec(10);
        Assert.NotNull(rig.Table.Find(10, 0));
        File.WriteAllText(rig.Proc[10, "maps"], "7f00-7f01 r-xp 0 08:01 1   /opt/jdk/lib/server/libjvm.so\n");
        rig.Table.OnTick(rig.Now += 600_000_000);
        Assert.Null(rig.Table.Find(10, 0));
        Assert.Contains(10, rig.Kernel.Excluded);
    }

    [Fact]
    public void A_worker_that_got_its_socket_from_another_process_is_traced_when_it_serves()
    {
        using var rig = new TableRig([Ports("8080")]);
        rig.Proc.Add(10, "/srv/master").Add(11, "/srv/worker", environment: ["OTEL_SERVICE_NAME=workers"]);
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        Assert.Null(rig.Table.Find(11, 0));
        Assert.Null(rig.Table.Find(11, 7000));
        Assert.Equal("workers", rig.Table.Find(11, 8080)!.ServiceName);
        Assert.Contains(11, rig.Kernel.Pids);
        Assert.Equal("workers", rig.Table.Find(11, 0)!.ServiceName);
    }

    [Fact]
    public void A_worker_that_is_gone_when_its_last_answer_is_read_counts_for_the_listener()
    {
        using var rig = new TableRig([Ports("8080")]);
        rig.Proc.Add(10, "/srv/master");
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        var worker = rig.Table.Find(4000, 8080);
        Assert.Equal((4000, "master"), (worker!.Pid, worker.ServiceName));
        Assert.DoesNotContain(4000, rig.Kernel.Pids);
        rig.Table.OnTick(rig.Now += 6_000_000_000);
        Assert.Null(rig.Table.Find(4000, 0));
    }

    [Fact]
    public void One_that_ends_while_it_is_selected_leaves_no_bit_behind()
    {
        using var rig = new TableRig([Exe("/srv/*")]);
        rig.Table.Start();
        rig.Proc.Add(10);
        rig.Kernel.OnSelect = rig.Proc.Remove;
        rig.Exec(10);
        Assert.Empty(rig.Kernel.Pids);
        // What it sent is still to be read.
        Assert.Equal("app", rig.Table.Find(10, 0)!.ServiceName);
        rig.Table.OnTick(rig.Now += 6_000_000_000);
        Assert.Null(rig.Table.Find(10, 0));
    }

    [Fact]
    public void One_that_is_gone_when_its_execve_is_read_is_judged_by_the_path_it_was_given()
    {
        using var rig = new TableRig([Exe("/srv/*", "short")]);
        rig.Table.Start();
        foreach (var (pid, path) in new[] { (10, "/srv/app"), (11, "/usr/bin/other"), (12, "app") })
        {
            rig.Exec(pid, path);
            Assert.Equal(pid == 10 ? "short" : null, rig.Table.Find(pid, 0)?.ServiceName);
        }

        Assert.Empty(rig.Kernel.Pids);
        rig.Table.OnTick(rig.Now += 6_000_000_000);
        Assert.Null(rig.Table.Find(10, 0));
    }

    [Fact]
    public void A_program_that_no_rule_wants_is_traced_only_until_it_is_judged()
    {
        using var rig = new TableRig([Exe("/srv/*")]);
        rig.Table.Start();
        rig.Proc.Add(10, "/usr/bin/other").Add(11, "/srv/app");
        rig.Exec(10, "/usr/bin/other");
        rig.Exec(11, "/srv/app");
        Assert.Equal([11], rig.Kernel.Pids);
        Assert.Null(rig.Table.Find(10, 0));
        Assert.Equal((2, 1, 1), (rig.Counters.Produced, rig.Counters.Aggregated, rig.Counters.Filtered));
    }

    [Fact]
    public void A_listener_that_only_the_table_can_judge_is_traced_until_it_has()
    {
        using var rig = new TableRig([new SelectionRule { Origin = "test", OpenPorts = Ranges("8080"), ExecutablePath = Glob("/srv/*") }]);
        rig.Table.Start();
        rig.Proc.Add(10, "/srv/app").Add(11, "/usr/bin/other").Add(12, "/srv/app");
        rig.Listen(10, 8080);
        rig.Listen(11, 8080);
        rig.Listen(12, 9090);
        Assert.Equal([10], rig.Kernel.Pids);
    }

    [Fact]
    public void Events_for_which_the_table_has_no_room_are_counted_and_those_processes_cost_nothing()
    {
        using var rig = new TableRig([Ports("8080")], options: new ProcessTableOptions { MaximumProcesses = 3 });
        rig.Proc.Add(10, "/srv/web");
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        rig.Fork(10, 20);
        rig.Fork(10, 21);
        rig.Fork(10, 22);
        Assert.Equal((3, 1, 0, 2), (rig.Counters.Produced, rig.Counters.Aggregated, rig.Counters.Filtered, rig.Counters.Lost));
        Assert.Equal([10, 20], rig.Kernel.Pids.Order());
        rig.Proc.Add(23);
        rig.Listen(23, 8080);
        Assert.Equal(3, rig.Counters.Lost);
    }

    [Fact]
    public void Rules_by_port_alone_open_no_process_that_does_not_listen()
    {
        using var rig = new TableRig([Ports("8080")], [Exe("*/secret")]);
        rig.Proc.Add(10, "/srv/web");
        rig.Table.Start();
        rig.Exec(10, "/srv/web");
        rig.Send(new ProcessEvent { Kind = ProcessEventKind.Exec, Pid = 10 });
        Assert.Equal([0], rig.Kernel.Scans);
        Assert.Equal(1, rig.Counters.Filtered);
    }

    /// <summary>The file is that of cgroups(7): the second version has no number and no controllers.</summary>
    [Theory]
    [InlineData(true, "4:memory:/old\n0::/shop/web\n", "/shop/web")]
    [InlineData(true, "4:memory:/old\n", null)]
    [InlineData(true, null, null)]
    [InlineData(false, "0::/shop/web\n", null)]
    public void The_control_group_is_looked_at_aside_where_it_is_wanted(bool isWanted, string? groups, string? expected)
    {
        using var rig = new TableRig([Ports("8080")], options: new ProcessTableOptions { NeedsControlGroup = isWanted });
        rig.Proc.Add(10, "/srv/web");
        if (groups is not null)
        {
            File.WriteAllText(rig.Proc[10, "cgroup"], groups);
        }

        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        Assert.Equal(expected, Assert.Single(rig.SelectedLog).ControlGroup);
        Assert.Equal(isWanted, Assert.Single(rig.Asked).Parts.HasFlag(InspectionParts.ControlGroup));
    }
}
