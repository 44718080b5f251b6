using System.Collections.Concurrent;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Tests.Processes;

namespace Beyla.Agent.Tests.Flows;

/// <summary>The names of services of processes that nobody traces: looked up aside, bounded, whatever a process does to the look.</summary>
public sealed class ServiceFinderTests
{
    private const long Seen = 5_000_000_000;

    [Fact]
    public void A_process_is_looked_at_once_and_remembered()
    {
        ConcurrentBag<int> looked = [];
        using ServiceFinder finder = new(() => pid =>
        {
            looked.Add(pid);
            return new ServiceAnswer($"service {pid}", 0);
        }, static _ => { });

        Assert.Equal("service 7", Eventually(() => finder.Find(7, Seen)));
        Assert.Equal("service 8", Eventually(() => finder.Find(8, Seen)));
        Assert.Equal("service 7", finder.Find(7, Seen));
        Assert.Equal([7, 8], looked.Order());
    }

    [Fact]
    public void A_process_that_started_after_its_packets_has_the_pid_of_another()
    {
        using ServiceFinder finder = new(() => pid => new ServiceAnswer("late", Seen + 1_000_000_000), static _ => { });

        Assert.Equal("late", Eventually(() => finder.Find(7, Seen + 2_000_000_000)));
        Assert.Null(finder.Find(7, Seen));
    }

    [Fact]
    public void A_look_that_does_not_return_holds_up_nothing_and_costs_a_few_threads()
    {
        using ManualResetEventSlim release = new();
        ConcurrentBag<int> looked = [];
        ConcurrentQueue<string> warnings = new();
        using ServiceFinder finder = new(() => pid =>
        {
            looked.Add(pid);
            if (pid < 100)
            {
                release.Wait();
            }

            return new ServiceAnswer($"service {pid}", 0);
        }, warnings.Enqueue, patience: 1000);

        // A process that is well is named behind each of three that are not.
        for (int bad = 1; bad <= ServiceFinder.MostStuck; bad++)
        {
            Assert.Null(finder.Find(bad, Seen));
            int good = 100 + bad;
            Assert.Equal($"service {good}", Eventually(() => finder.Find(good, Seen)));
        }

        // One more, and looking ends; then no process starts a thread or is asked for again.
        Assert.Null(finder.Find(50, Seen));
        Assert.True(Until(() => finder.Find(200, Seen) is null && !warnings.IsEmpty));
        for (int pid = 300; pid < 5000; pid++)
        {
            Assert.Null(finder.Find(pid, Seen));
        }

        Assert.Contains("50", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 50], looked.Where(pid => pid < 100).Order());

        // What comes back goes on.
        release.Set();
        Assert.Equal("service 400", Eventually(() => finder.Find(400, Seen)));
    }

    [Theory]
    [InlineData("/usr/bin/shopd", new[] { "A=1", "OTEL_SERVICE_NAME=shop" }, "shop")]
    [InlineData("/usr/bin/shopd", new[] { "OTEL_RESOURCE_ATTRIBUTES=service.name=cart,x=y" }, "cart")]
    [InlineData("/usr/bin/shopd", new string[0], "shopd")]
    [InlineData("", new string[0], "argument")]
    public void It_is_named_as_its_spans_would_be(string executable, string[] environment, string expected)
    {
        using FakeProc proc = new();
        using var marked = AsideThread.Enter();
        proc.Add(7, executable, environment, ["/opt/argument", "-x"], command: "comm");

        ServiceAnswer answer = ServiceLook.Look(new ProcReader(proc.Root), 7);
        Assert.Equal(expected, answer.Name);
        Assert.Null(ServiceLook.Look(new ProcReader(proc.Root), 8).Name);
    }

    [Fact]
    public void What_started_now_started_now()
    {
        using var marked = AsideThread.Enter();
        using System.Diagnostics.Process child = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("/bin/sleep", "60"))!;
        try
        {
            long now = (long)MonotonicClock.Now;
            ServiceAnswer answer = ServiceLook.Look(new ProcReader(), child.Id);
            Assert.InRange(answer.Started, now - 60_000_000_000, now + 20_000_000);
            Assert.InRange(ServiceLook.Look(new ProcReader(), Environment.ProcessId).Started, 0, answer.Started);
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public void The_table_shows_its_services_to_other_threads()
    {
        ServiceSnapshot services = new();
        using TableRig rig = new([TableRig.Ports("8080", "front")], options: new ProcessTableOptions { Services = services });
        rig.Kernel.Listeners.Add((5, 8080));
        rig.Proc.Add(5).Add(6);
        rig.Table.Start();

        Assert.Equal(("front", null), (services.Find(5), services.Find(6)));
        rig.Fork(5, 9);
        rig.Table.OnTick(rig.Now);
        Assert.Equal("front", services.Find(9));
        rig.Exit(9);
        rig.Table.OnTick(rig.Now);
        Assert.Equal("front", services.Find(9)); // what it sent last is still to be reported
        rig.Table.OnTick(rig.Now + 60_000_000_000);
        Assert.Null(services.Find(9));
    }

    private static string? Eventually(Func<string?> find)
    {
        string? found = null;
        Until(() => (found = find()) is not null);
        return found;
    }

    private static bool Until(Func<bool> condition)
    {
        for (int i = 0; i < 3000; i++)
        {
            if (condition())
            {
                return true;
            }

            Thread.Sleep(10);
        }

        return false;
    }
}
