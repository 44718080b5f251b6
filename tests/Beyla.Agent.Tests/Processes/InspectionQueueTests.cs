using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Who is looked at next. A second has 1,000 ticks.</summary>
public sealed class InspectionQueueTests
{
    private readonly InspectionQueue queue = new(1000, 100, 1000);
    private long number;

    [Fact]
    public void Users_take_turns_however_many_one_has()
    {
        for (var pid = 1; pid <= 50; pid++)
        {
            Add(pid, user: 1);
        }

        Add(100, user: 2);
        Add(101, user: 3);
        Assert.Equal([1, 100, 101, 2, 3], Enumerable.Range(0, 5).Select(_ => Take(0)!.Value));
    }

    [Fact]
    public void What_a_user_uses_is_followed_by_three_times_that()
    {
        Add(1, user: 1);
        Add(2, user: 1);
        Add(3, user: 2);
        Assert.Equal(1, Take(0, seconds: 0.1));
        Assert.Equal(3, Take(100, seconds: 0.004));
        Assert.Null(Take(299));
        Assert.Equal(2, Take(300, seconds: 60));
        // Nobody is banned.
        Add(4, user: 1);
        Assert.Null(Take(1299));
        Assert.Equal(4, Take(1300));
    }

    [Fact]
    public void A_thousand_looks_of_thirty_milliseconds_cost_a_quarter_of_a_processor()
    {
        long now = 0;
        var used = 0;
        for (var pid = 1; now < 60_000; pid++)
        {
            Add(pid, user: 1);
            int? taken;
            while ((taken = Take(now, seconds: 0.03, lasts: 30)) is null)
            {
                now++;
            }

            (now, used) = (now + 30, used + 30);
        }

        Assert.InRange(used / 60_000.0, 0.2, 0.27);
    }

    [Fact]
    public void Users_that_are_done_are_forgotten()
    {
        for (uint user = 0; user < 500; user++)
        {
            Add(1, user);
        }

        while (Take(0) is not null)
        {
        }

        Assert.Null(Take(1));
        Assert.Equal((0, 0), (queue.Count, queue.Users));
    }

    private void Add(int pid, uint user) =>
        Assert.True(queue.TryAdd(new Inspection { Number = ++number, Pid = pid, StartTime = 1, User = user }));

    private int? Take(long now, double seconds = 0, long lasts = 0)
    {
        if (!queue.TryTake(now, static _ => InspectionAccess.Full, out var inspection, out var share, out _, out _))
        {
            return null;
        }

        queue.Charge(share, seconds, now + lasts);
        return inspection.Pid;
    }
}
