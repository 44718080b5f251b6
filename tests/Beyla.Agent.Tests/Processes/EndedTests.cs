using Beyla.Agent.Processes;
using static Beyla.Agent.Tests.Processes.TableRig;

namespace Beyla.Agent.Tests.Processes;

/// <summary>The end of a traced process is told once.</summary>
public sealed class EndedTests
{
    private readonly List<ProcessInfo> ended = [];

    [Fact]
    public void A_while_after_its_end()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        var child = rig.Table.Find(20, 0)!;
        rig.Exit(20);
        rig.Table.OnTick(rig.Now += 4_900_000_000);
        Assert.Empty(ended);
        rig.Table.OnTick(rig.Now += 200_000_000);
        Assert.Same(child, Assert.Single(ended));
        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Single(ended);
    }

    [Fact]
    public void At_once_where_it_runs_another_program()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        var child = rig.Table.Find(20, 0)!;
        rig.Proc.Add(20, "/usr/bin/curl", parent: 10);
        rig.Exec(20, "/usr/bin/curl");
        Assert.Same(child, Assert.Single(ended));
        // It is not traced any more: its end is nobody's.
        rig.Exit(20);
        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Single(ended);
    }

    [Fact]
    public void For_each_of_its_programs_that_are_traced()
    {
        using var rig = Server();
        var first = rig.Table.Find(10, 0)!;
        rig.Proc.Add(10, "/srv/web-v2", environment: ["OTEL_SERVICE_NAME=shop2"]);
        rig.Exec(10, "/srv/web-v2");
        Assert.Same(first, Assert.Single(ended));
        var second = rig.Table.Find(10, 0)!;
        Assert.Equal("shop2", second.ServiceName);
        rig.Exit(10);
        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Equal(2, ended.Count);
        Assert.Same(second, ended[1]);
    }

    [Fact]
    public void Not_for_those_that_were_never_traced()
    {
        using var rig = Server();
        rig.Proc.Add(30, "/usr/bin/other");
        rig.Exec(30, "/usr/bin/other");
        rig.Exit(30);
        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Empty(ended);
    }

    [Fact]
    public void Where_its_end_was_lost()
    {
        using var rig = Server();
        rig.Fork(10, 20);
        var child = rig.Table.Find(20, 0)!;
        rig.Proc.Remove(20);
        _ = rig.Kernel.Pids.Remove(20);
        rig.Lose();
        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Same(child, Assert.Single(ended));
    }

    [Fact]
    public void Once_for_each_of_many()
    {
        using var rig = Server();
        for (var child = 1000; child < 2000; child++)
        {
            rig.Fork(10, child);
            rig.Exit(child);
        }

        rig.Table.OnTick(rig.Now += 60_000_000_000);
        Assert.Equal(Enumerable.Range(1000, 1000), ended.Select(static info => info.Pid).Order());
    }

    private TableRig Server()
    {
        var rig = new TableRig([Ports("8080")], options: new ProcessTableOptions { Ended = ended.Add });
        rig.Proc.Add(10, "/srv/web", environment: ["OTEL_SERVICE_NAME=shop"]);
        rig.Kernel.Listeners.Add((10, 8080));
        rig.Table.Start();
        return rig;
    }
}
