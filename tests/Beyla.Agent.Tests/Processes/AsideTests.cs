using System.Collections.Concurrent;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Threads that look at processes, over inspectors that the test holds fast.</summary>
public sealed class AsideTests : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<int, ManualResetEventSlim> held = [];
    private readonly ConcurrentQueue<string> troubles = [];
    private readonly List<Aside> created = [];
    private long number;

    [Fact]
    public void A_look_is_taken_on_another_thread_and_its_result_given_to_the_caller()
    {
        var aside = Create(new AsideOptions());
        Assert.True(aside.TrySubmit(Of(10)));
        var result = Next(aside);
        Assert.Equal((10, "looked", true), (result.Of.Pid, result.Executable, result.IsWhole));
        Assert.False(aside.TryTake(out _));
        Assert.Equal((1, 1, 0, 0), Counters(aside));
    }

    [Fact]
    public void One_that_does_not_come_back_is_answered_without_files_and_others_go_on()
    {
        var aside = Create(new AsideOptions { BlockedAfter = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromMilliseconds(500) });
        Hold(10);
        Assert.True(aside.TrySubmit(Of(10, user: 1, link: "/srv/python3.11")));
        Assert.True(aside.TrySubmit(Of(11, user: 2)));
        var results = new[] { Next(aside), Next(aside) }.ToDictionary(result => result.Of.Pid);
        Assert.Equal(("/srv/python3.11", ProcessLanguage.Python, false, false),
            (results[10].Executable, results[10].Language, results[10].IsWhole, results[10].IsGone));
        Assert.True(results[11].IsWhole);
        Assert.Equal((2, 1, 1, 0), Counters(aside));
        Assert.Single(troubles);

        // What comes back late is not told again, and one thread is enough again.
        held[10].Set();
        Assert.True(SpinWait.SpinUntil(() => aside.Threads == 1, Hang));
        Assert.False(aside.TryTake(out _));
        Assert.True(aside.TrySubmit(Of(12)));
        Assert.True(Next(aside).IsWhole);
    }

    [Fact]
    public void Threads_are_replaced_a_few_times_and_then_files_are_left_out()
    {
        var aside = Create(new AsideOptions
        {
            BlockedAfter = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromMilliseconds(500), MaximumBlockedPerUser = 1,
        });
        for (var pid = 10; pid < 30; pid++)
        {
            Hold(pid);
            Assert.True(aside.TrySubmit(Of(pid, user: (uint)pid)));
            Assert.False(Next(aside).IsWhole);
        }

        Assert.Equal(3 + 1, aside.Threads);
        Assert.Equal((20, 0, 20, 0), Counters(aside));
    }

    [Fact]
    public void A_user_cannot_hold_all_threads()
    {
        var aside = Create(new AsideOptions { BlockedAfter = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromMilliseconds(500) });
        for (var pid = 10; pid < 20; pid++)
        {
            Hold(pid);
            Assert.True(aside.TrySubmit(Of(pid, user: 1)));
            Assert.False(Next(aside).IsWhole);
        }

        Assert.Equal(2 + 1, aside.Threads);
        Assert.True(aside.TrySubmit(Of(20, user: 2)));
        Assert.True(Next(aside).IsWhole);
    }

    [Fact]
    public void What_has_no_room_is_refused_and_those_of_others_have_theirs()
    {
        var aside = Create(new AsideOptions { MaximumWaiting = 6, MaximumWaitingPerUser = 4 });
        Hold(10);
        Assert.True(aside.TrySubmit(Of(10, user: 1)));
        Assert.True(SpinWait.SpinUntil(() => held[10].WaitHandle is not null && Entered(10), Hang));
        Assert.Equal([true, true, true, true, false], Enumerable.Range(11, 5).Select(pid => aside.TrySubmit(Of(pid, user: 1))));
        Assert.Equal([true, true, false], Enumerable.Range(21, 3).Select(pid => aside.TrySubmit(Of(pid, user: 2))));
        held[10].Set();
        var order = Enumerable.Range(0, 7).Select(_ => Next(aside).Of.Pid).ToArray();
        // In turns: 21 does not wait for all of the other user's.
        Assert.Equal([10, 11, 21, 12, 22, 13, 14], order);
    }

    [Fact]
    public void An_error_is_one_processs_own()
    {
        var aside = Create(new AsideOptions());
        Assert.True(aside.TrySubmit(Of(666)));
        Assert.True(aside.TrySubmit(Of(11)));
        Assert.Equal([false, true], new[] { Next(aside), Next(aside) }.Select(result => result.IsWhole));
        Assert.Contains("looking at process 666", Assert.Single(troubles), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_does_not_answer_is_not_asked_again_until_it_does()
    {
        IFileGate? first = null, second = null;
        using ManualResetEventSlim stuck = new();
        var aside = new Aside(
            new AsideOptions
            {
                BlockedAfter = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromMilliseconds(500), Troubled = troubles.Enqueue,
            },
            gate => new Fake(inspection =>
            {
                if (inspection.Pid == 10)
                {
                    Assert.True((first = gate).MayOpen(7));
                    stuck.Wait();
                }

                second = gate;
                return gate.MayOpen(7) ? "open" : "shut";
            }));
        created.Add(aside);
        Assert.True(aside.TrySubmit(Of(10, user: 1)));
        Assert.False(Next(aside).IsWhole);
        Assert.True(aside.TrySubmit(Of(11, user: 2)));
        Assert.Equal("shut", Next(aside).Executable);
        Assert.NotSame(first, second);
        stuck.Set();
        Assert.True(SpinWait.SpinUntil(() => aside.Threads == 1, Hang));
        Assert.True(aside.TrySubmit(Of(12, user: 2)));
        Assert.Equal("open", Next(aside).Executable);
        Assert.Contains("device 0:7", Assert.Single(troubles), StringComparison.Ordinal);
    }

    /// <summary>Both are held by the keeper, and answered when it goes on.</summary>
    [Fact]
    public void As_long_as_the_keeper_does_not_answer_no_process_is_given_up()
    {
        using var keeper = new ManualResetEventSlim();
        using var asked = new ManualResetEventSlim();
        var aside = Create(new AsideOptions
        {
            BlockedAfter = TimeSpan.FromMilliseconds(50), Deadline = TimeSpan.FromMilliseconds(100),
            AskKeeper = () =>
            {
                asked.Set();
                keeper.Wait();
            },
        });
        Hold(10);
        Hold(11);
        Assert.True(aside.TrySubmit(Of(10)) && aside.TrySubmit(Of(11)));
        Assert.False(aside.IsExcusing);
        Assert.True(SpinWait.SpinUntil(() => Watched(aside, asked.IsSet && Entered(11)), Hang));

        // Ten times as long as a look may last.
        Assert.False(SpinWait.SpinUntil(() => Watched(aside, aside.TryTake(out _)), TimeSpan.FromSeconds(1)));
        Assert.True(aside.IsExcusing);
        held[10].Set();
        held[11].Set();
        Assert.True(Next(aside).IsWhole && Next(aside).IsWhole);
        keeper.Set();
        Assert.Empty(troubles);
        Assert.False(aside.IsExcusing);
        Assert.Equal((2, 2, 0, 0), Counters(aside));
    }

    [Fact]
    public void One_that_does_not_come_back_though_the_keeper_answers_is_given_up()
    {
        var asked = 0;
        var aside = Create(new AsideOptions
        {
            BlockedAfter = TimeSpan.FromMilliseconds(200), Deadline = TimeSpan.FromMilliseconds(400),
            AskKeeper = () => Interlocked.Increment(ref asked),
        });
        Hold(10);
        Assert.True(aside.TrySubmit(Of(10)));
        Assert.False(Next(aside).IsWhole);
        Assert.Contains("process 10 does not let go", Assert.Single(troubles), StringComparison.Ordinal);

        // Once when its time was over, and once more after what the keeper may have owed to it; more often where an answer took long.
        Assert.InRange(asked, 2, int.MaxValue);
        Assert.Equal((1, 0, 1, 0), Counters(aside));
    }

    [Fact]
    public void The_end_waits_for_nobody()
    {
        var aside = Create(new AsideOptions());
        Hold(10);
        Assert.True(aside.TrySubmit(Of(10)));
        Assert.True(SpinWait.SpinUntil(() => Entered(10), Hang));
        aside.Dispose();
        Assert.False(aside.TrySubmit(Of(11)));
        Assert.Equal((1, 0, 0, 1), Counters(aside));
    }

    [Fact]
    public void Files_of_processes_are_read_on_no_other_thread()
    {
        using var proc = new FakeProc();
        proc.Add(10, "/srv/app", maps: "1-2 r-xp 0 0:0 1 /srv/app\n");
        var reader = new ProcReader(proc.Root);
        var state = 0;
        Assert.Throws<InvalidOperationException>(() => reader.CommandLine(10));
        Assert.Throws<InvalidOperationException>(() => reader.VisitMaps(10, static (_, ref _) => true, ref state));
        Assert.Throws<InvalidOperationException>(() => reader.VisitEnvironment(10, static (_, ref _) => true, ref state));
        Assert.Throws<InvalidOperationException>(() => reader.NameExecutable(10));
        Assert.Throws<InvalidOperationException>(() => reader.OpenExecutable(10, 0));
        Assert.Throws<InvalidOperationException>(() => reader.TrueExecutable(10, "/srv/app"));
        Assert.True(reader.TryStat(10, out _));
        Assert.Equal("/srv/app", reader.ExecutableLink(10));
    }

    public void Dispose()
    {
        foreach (var gate in held.Values)
        {
            gate.Set();
        }

        created.ForEach(static aside => aside.Dispose());
    }

    private readonly ConcurrentDictionary<int, bool> entered = [];

    private bool Entered(int pid) => entered.ContainsKey(pid);

    private void Hold(int pid) => held[pid] = new ManualResetEventSlim();

    private Inspection Of(int pid, uint user = 0, string? link = null) =>
        new() { Number = ++number, Pid = pid, StartTime = 1, User = user, Link = link };

    private Aside Create(AsideOptions options)
    {
        var aside = new Aside(options with { Troubled = troubles.Enqueue }, _ => new Fake(inspection =>
        {
            entered[inspection.Pid] = true;
            if (held.TryGetValue(inspection.Pid, out var gate))
            {
                gate.Wait();
            }

            return inspection.Pid == 666 ? throw new IOException("bad sector") : "looked";
        }));
        created.Add(aside);
        return aside;
    }

    private static bool Watched(Aside aside, bool condition)
    {
        aside.Watch();
        return condition;
    }

    private static InspectionResult Next(Aside aside)
    {
        InspectionResult? result = null;
        Assert.True(SpinWait.SpinUntil(() =>
        {
            aside.Watch();
            return aside.TryTake(out result!);
        }, Hang));
        return result!;
    }

    private static (long, long, long, long) Counters(Aside aside)
    {
        var counters = Assert.Single(aside.Count());
        Assert.True(counters.Balanced);
        return (counters.Produced, counters.Aggregated, counters.Lost, counters.Held);
    }

    private sealed class Fake(Func<Inspection, string> look) : IInspector
    {
        public InspectionResult Inspect(Inspection inspection) => new() { Of = inspection, IsWhole = true, Executable = look(inspection) };
    }
}
