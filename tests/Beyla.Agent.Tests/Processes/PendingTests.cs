using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using static Beyla.Agent.Tests.Processes.TableRig;

namespace Beyla.Agent.Tests.Processes;

/// <summary>The time between an event and the answer of the thread aside.</summary>
public sealed class PendingTests
{
    [Fact]
    public void What_the_kernel_alone_knows_selects_at_once_and_the_name_follows()
    {
        using var rig = new TableRig([Exe("/srv/*")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/app", environment: ["OTEL_SERVICE_NAME=shop"]).Add(11, "/usr/bin/other");
        rig.Exec(10, "/srv/app");
        rig.Exec(11, "/usr/bin/other");
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.Equal((true, false), (rig.Table.IsAwaited(10), rig.Table.IsAwaited(11)));
        Assert.Null(rig.Table.Find(10));
        Assert.Equal("app", rig.Table.Guess(10)!.ServiceName);
        Assert.Single(rig.Asked);
        rig.Answer();
        Assert.False(rig.Table.IsAwaited(10));
        Assert.Equal("shop", rig.Table.Find(10)!.ServiceName);
        Assert.Contains(10, rig.Judged);
    }

    [Fact]
    public void A_process_that_only_its_language_selects_is_traced_until_that_is_known()
    {
        using var rig = new TableRig([Language("python")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/usr/bin/python3").Add(11, "/usr/bin/ruby");
        rig.Exec(10);
        rig.Exec(11);
        Assert.Equal([10, 11], rig.Kernel.Pids.Order());
        Assert.Null(rig.Table.Guess(10));
        rig.Answer();
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.Equal(ProcessLanguage.Python, rig.Table.Find(10)!.Language);
        Assert.Equal((null, false), (rig.Table.Find(11), rig.Table.IsAwaited(11)));
    }

    [Fact]
    public void Children_forked_meanwhile_are_who_their_parent_turns_out_to_be()
    {
        using var rig = new TableRig([Exe("/srv/*"), Language("ruby")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/app", environment: ["OTEL_SERVICE_NAME=shop"]).Add(11, "/usr/bin/ruby").Add(12, "/usr/bin/perl");
        foreach (var parent in new[] { 10, 11, 12 })
        {
            rig.Exec(parent);
            rig.Fork(parent, parent * 10);
            rig.Fork(parent * 10, parent * 100);
        }

        rig.Exit(1000);
        Assert.All(new[] { 100, 1000, 110, 1100, 120, 1200 }, child => Assert.True(rig.Table.IsAwaited(child)));
        rig.Answer();
        foreach (var (pid, name) in new[] { (100, "shop"), (1000, "shop"), (110, "ruby"), (1100, "ruby"), (120, null), (1200, null) })
        {
            Assert.Equal(name, rig.Table.Find(pid)?.ServiceName);
        }

        Assert.Equal([10, 11, 100, 110, 1100], rig.Kernel.Pids.Order());
        Assert.Equal(1100, rig.Table.Find(1100)!.Pid);
    }

    [Fact]
    public void One_that_ends_before_its_look_keeps_what_is_known()
    {
        using var rig = new TableRig([Exe("/srv/*", "short"), Language("python")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/app").Add(11, "/usr/bin/python3.11").Add(12, "/usr/bin/other");
        foreach (var pid in new[] { 10, 11, 12 })
        {
            rig.Exec(pid);
            rig.Exit(pid);
        }

        rig.Answer();
        Assert.Equal("short", rig.Table.Find(10)!.ServiceName);
        Assert.Equal("python3.11", rig.Table.Find(11)!.ServiceName);
        Assert.Null(rig.Table.Find(12));
        Assert.Empty(rig.Kernel.Pids);
    }

    [Fact]
    public void An_answer_about_what_ran_before_does_not_touch_what_runs_now()
    {
        using var rig = new TableRig([Exe("/srv/*")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/first");
        rig.Exec(10, "/srv/first");
        rig.Fork(10, 20);
        rig.Proc.Add(10, "/srv/second", environment: ["OTEL_SERVICE_NAME=two"]);
        rig.Exec(10, "/srv/second");
        rig.Answer();
        Assert.Equal("two", rig.Table.Find(10)!.ServiceName);
        Assert.Equal("first", rig.Table.Find(20)!.ServiceName);
    }

    [Fact]
    public void A_listener_is_looked_at_once_more_and_then_so_often_per_second()
    {
        using var rig = new TableRig([Ports("1000-9999")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/app");
        for (var i = 0; i < 3000; i++)
        {
            rig.Listen(10, 8080);
            rig.Answer();
        }

        // One look at the first listen, and not one more at a port that is known.
        Assert.Single(rig.Asked);
        for (ushort port = 1000; port < 4000; port++)
        {
            rig.Listen(10, port);
            rig.Answer();
        }

        Assert.Equal(LookBudget.PerInterval, rig.Asked.Count);
        rig.Table.OnTick(rig.Now += LookBudget.Interval);
        rig.Answer();
        Assert.InRange(rig.Asked.Count, LookBudget.PerInterval + 1, 2 * LookBudget.PerInterval);
        Assert.Equal("app", rig.Table.Find(10)!.ServiceName);
    }

    [Fact]
    public void A_runtime_that_is_loaded_when_it_listens_is_seen_before_its_first_span_goes()
    {
        using var rig = new TableRig([Exe("/srv/*")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, "/srv/app");
        rig.Exec(10);
        rig.Answer();
        Assert.Equal(ProcessLanguage.Generic, rig.Table.Find(10)!.Language);
        File.WriteAllText(rig.Proc[10, "maps"], "7f00-7f01 r-xp 0 08:01 1   /opt/jdk/lib/server/libjvm.so\n");
        rig.Listen(10, 8080);
        Assert.Null(rig.Table.Find(10));
        Assert.True(rig.Table.IsAwaited(10));
        rig.Answer();
        Assert.Equal(ProcessLanguage.Java, rig.Table.Find(10)!.Language);
    }

    [Fact]
    public void What_has_no_room_aside_is_looked_at_later_and_not_lost()
    {
        using var rig = new TableRig([Exe("/srv/*")], slow: true) { Room = 2 };
        rig.Table.Start(TimeSpan.Zero);
        for (var pid = 10; pid < 15; pid++)
        {
            rig.Proc.Add(pid, "/srv/app", environment: ["OTEL_SERVICE_NAME=shop" + pid]);
            rig.Exec(pid);
        }

        Assert.Equal(2, rig.Asked.Count);
        for (var i = 0; i < 5; i++)
        {
            rig.Answer();
            rig.Table.OnTick(rig.Now += 100_000_000);
        }

        rig.Answer();
        Assert.Equal(
            ["shop10", "shop11", "shop12", "shop13", "shop14"], Enumerable.Range(10, 5).Select(pid => rig.Table.Find(pid)!.ServiceName));
        Assert.False(rig.Table.IsLooking);
    }

    [Fact]
    public void A_worker_is_judged_when_a_request_opens_and_never_by_being_asked_for()
    {
        using var rig = new TableRig([Ports("8080")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(11, "/srv/worker", environment: ["OTEL_SERVICE_NAME=workers"]);
        Assert.Null(rig.Table.Find(11));
        Assert.Empty(rig.Kernel.Pids);
        rig.Table.Open(11, 7000);
        Assert.Empty(rig.Asked);
        rig.Table.Open(11, 8080);
        Assert.Equal([11], rig.Kernel.Pids);
        Assert.Single(rig.Asked);
        // It is gone when the answer is read, but not when it was asked about.
        rig.Answer();
        rig.Exit(11);
        Assert.Equal("workers", rig.Table.Find(11)!.ServiceName);
    }

    [Fact]
    public void A_program_without_a_port_that_a_rule_names_is_not_opened()
    {
        using var rig = new TableRig([Ports("8080")], slow: true);
        rig.Proc.Add(10, "/srv/web");
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start(TimeSpan.Zero);
        rig.Answer();
        rig.Fork(10, 20);
        rig.Proc.Add(20, "/usr/bin/curl", parent: 10);
        File.Delete(rig.Proc[20, "maps"]);
        rig.Exec(20, "/usr/bin/curl");
        Assert.True(rig.Asked[^1].Parts.HasFlag(InspectionParts.OnlyWithPorts));
        rig.Answer();
        Assert.Equal([10], rig.Kernel.Pids);
        Assert.Equal([0, 20], rig.Kernel.Scans);
    }

    /// <summary>As inetd does: a program for each connection, which has it from the one that listens.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void A_program_that_was_passed_a_connection_is_wanted_for_its_port(bool isGone)
    {
        using var rig = new TableRig([Ports("8080")], slow: true);
        rig.Proc.Add(10, "/srv/web", environment: ["OTEL_SERVICE_NAME=web"]);
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start(TimeSpan.Zero);
        rig.Answer();
        for (var child = 20; child < 23; child++)
        {
            rig.Fork(10, child);
            rig.Proc.Add(child, "/srv/program", parent: 10, environment: ["OTEL_SERVICE_NAME=program"]);
            rig.Exec(child, "/srv/program");
            // It reads its request before it is known that it listens on nothing.
            rig.Table.Open(child, 8080);
            Assert.True(rig.Table.IsAwaited(child));
            if (isGone)
            {
                rig.Exit(child);
            }

            rig.Answer();
            Assert.Equal(isGone ? "web" : "program", rig.Table.Find(child)!.ServiceName);
        }

        Assert.False(rig.Table.IsLooking);
        // One that serves nothing there is none of the service.
        rig.Fork(10, 30);
        rig.Proc.Add(30, "/usr/bin/curl", parent: 10);
        rig.Exec(30, "/usr/bin/curl");
        rig.Answer();
        Assert.Null(rig.Table.Find(30));
    }

    /// <summary>Who was passed a socket and is gone before anybody could look at it is nobody's model.</summary>
    [Fact]
    public void The_one_that_listens_says_who_those_are_that_are_gone()
    {
        using var rig = new TableRig([Ports("8080")], slow: true);
        rig.Proc.Add(10, "/srv/web", environment: ["OTEL_SERVICE_NAME=web"]);
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start(TimeSpan.Zero);
        rig.Answer();
        rig.Proc.Add(20, executable: ""); // its memory is gone already
        rig.Table.Open(20, 8080);
        rig.Proc.Remove(20); // before the look
        rig.Answer();
        Assert.Equal("/srv/web", rig.Table.Find(20)!.Executable);
        rig.Table.Open(21, 8080); // gone at once
        Assert.Equal("web", rig.Table.Find(21)!.ServiceName);
        Assert.Equal("/srv/web", rig.Table.Find(21)!.Executable);
    }

    /// <summary>A daemon: who was started listens, forks and ends before it could be looked at.</summary>
    [Fact]
    public void A_daemon_says_itself_who_it_is_when_its_starter_is_gone()
    {
        using var rig = new TableRig([Ports("8080")], slow: true);
        rig.Table.Start(TimeSpan.Zero);
        rig.Proc.Add(10, executable: ""); // its memory is gone already
        rig.Listen(10, 8080);
        rig.Fork(10, 20);
        rig.Proc.Add(20, "/srv/daemon", environment: ["OTEL_SERVICE_NAME=web"]);
        rig.Fork(20, 30);
        rig.Proc.Add(30, "/srv/daemon", environment: ["OTEL_SERVICE_NAME=web"], parent: 20);
        rig.Exit(10);
        rig.Answer();
        Assert.All([rig.Table.Find(20)!, rig.Table.Find(30)!],
            static process => Assert.Equal(("web", "/srv/daemon"), (process.ServiceName, process.Executable)));
        Assert.False(rig.Table.IsLooking);
    }

    [Fact]
    public void Ended_processes_make_room_for_new_ones()
    {
        using var rig = new TableRig([Ports("8080")], options: new ProcessTableOptions { MaximumProcesses = 10 });
        rig.Proc.Add(10, "/srv/web");
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        for (var child = 100; child < 200; child++)
        {
            rig.Fork(10, child);
            rig.Exit(child);
        }

        Assert.Equal((200, 200, 0), (rig.Counters.Produced, rig.Counters.Aggregated, rig.Counters.Lost));
        Assert.Equal("web", rig.Table.Find(199)!.ServiceName);
        Assert.Null(rig.Table.Find(100));
    }

    [Fact]
    public void Random_events_and_answers_leave_nothing_awaited()
    {
        using var rig = new TableRig(
            [Ports("1-4"), Exe("/srv/a"), Language("python")], [Exe("/srv/b")],
            new ProcessTableOptions { MaximumProcesses = 40 }, slow: true) { Room = 5 };
        var random = new Random(11);
        for (var pid = 1; pid < 30; pid++)
        {
            rig.Proc.Add(pid, pid % 4 == 3 ? "/usr/bin/python3" : "/srv/" + (char)('a' + pid % 4), start: pid);
        }

        rig.Table.Start(TimeSpan.Zero);
        for (var i = 0; i < 5000; i++)
        {
            var e = new ProcessEvent
            {
                Kind = (ProcessEventKind)random.Next(0, 7), Pid = (uint)random.Next(1, 60), Parent = (uint)random.Next(1, 60),
                Port = (ushort)random.Next(0, 8), Selected = (ProcessSelection)random.Next(3), Time = (ulong)(rig.Now + random.Next(-5, 5)),
            };
            rig.Now += random.Next(0, 10_000_000);
            rig.Table.OnProcessEvent(e);
            rig.Table.Open(random.Next(1, 100), random.Next(0, 8));
            if (random.Next(3) == 0)
            {
                rig.Answer();
            }

            rig.Table.OnTick(rig.Now);
            Assert.True(rig.Counters.Balanced);
        }

        for (var i = 0; i < 200; i++)
        {
            rig.Answer();
            rig.Table.OnTick(rig.Now += 100_000_000);
        }

        rig.Answer();
        Assert.False(rig.Table.IsLooking);
        Assert.DoesNotContain(Enumerable.Range(1, 100), rig.Table.IsAwaited);
        Assert.All(rig.Table.Selected, info => Assert.NotEqual("b", info.ServiceName));
    }
}
