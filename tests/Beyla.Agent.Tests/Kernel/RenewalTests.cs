using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// A process that runs another program while this side judges the one before: the kernel side selects it and sends an event, and what is
/// said of the old program does not undo that (bpf/include/selection.h, renew_pid()).
/// </summary>
public sealed class RenewalTests : IDisposable
{
    private const ulong Second = 1_000_000_000;

    private readonly SelectionMemory memory = new();
    private readonly SelectionMap selection;

    public RenewalTests() => selection = new SelectionMap(memory.Descriptor);

    public void Dispose()
    {
        selection.Dispose();
        memory.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8191)]
    [InlineData(8192)]
    [InlineData(4194303)]
    public void It_stays_selected_until_the_event_is_read(int pid)
    {
        memory.Renew(pid, 5 * Second);
        selection.Deselect(pid);
        Assert.True(selection.IsSelected(pid));
        selection.Heard(pid, 5 * Second);
        selection.Deselect(pid);
        Assert.False(selection.IsSelected(pid));
    }

    /// <summary>A wrapper and its program: both events wait, and the first one tells of the wrapper alone.</summary>
    [Fact]
    public void The_event_before_is_not_the_one_that_selected_it()
    {
        memory.Renew(7, Second);
        memory.Renew(7, Second + 100_000);
        selection.Heard(7, Second);
        selection.Deselect(7);
        Assert.True(selection.IsSelected(7));
        selection.Heard(7, Second + 100_000);
        selection.Deselect(7);
        Assert.False(selection.IsSelected(7));
    }

    /// <summary>Two threads of a process listen at the same time: the event that is read last has the earlier time.</summary>
    [Fact]
    public void Events_in_another_order_leave_nobody_selected()
    {
        memory.Renew(7, Second + 40_000);
        selection.Heard(7, Second + 40_000);
        selection.Heard(7, Second);
        selection.Deselect(7);
        Assert.False(selection.IsSelected(7));
    }

    [Fact]
    public void An_exclusion_leaves_the_next_program_to_its_own_judgement()
    {
        memory.Renew(7, Second);
        selection.Exclude(7);
        Assert.True(selection.IsSelected(7));
        selection.Heard(7, Second);
        selection.Exclude(7);
        Assert.False(selection.IsSelected(7));
    }

    /// <summary>What was noted of others in the same place says nothing of this one, whichever of the events were read.</summary>
    [Fact]
    public void Another_process_in_the_same_place_is_another()
    {
        memory.Renew(7, Second);
        selection.Deselect(7 + 8192);
        Assert.True(selection.IsSelected(7));
        selection.Select(7 + 8192);
        selection.Deselect(7 + 8192);
        Assert.False(selection.IsSelected(7 + 8192));

        selection.Heard(7, Second);
        selection.Heard(7 + 8192, 2 * Second);
        selection.Deselect(7);
        Assert.False(selection.IsSelected(7));
        memory.Renew(7, 3 * Second);
        selection.Deselect(7);
        Assert.True(selection.IsSelected(7));
    }

    /// <summary>After 2.28 years 2^42 steps of 2^14 ns are over and the count begins anew.</summary>
    [Fact]
    public void The_time_may_wrap()
    {
        const ulong end = 1UL << 56;
        memory.Renew(7, end - Second);
        selection.Heard(7, end - Second);
        memory.Renew(7, end + Second);
        selection.Deselect(7);
        Assert.True(selection.IsSelected(7));
        selection.Heard(7, end + Second);
        selection.Deselect(7);
        Assert.False(selection.IsSelected(7));
    }

    /// <summary>
    /// The kernel's part in one thread, in its order: note, bit, event. This side's in another: event, then what it says of the past.
    /// Whoever has run a program of which nobody has read is selected.
    /// </summary>
    [Fact]
    public void Whatever_the_moment_a_renewal_holds()
    {
        const int pid = 77, rounds = 200_000;
        var (sent, undone) = (0, 0);
        Thread kernel = new(() =>
        {
            for (var round = 1; round <= rounds; round++)
            {
                memory.Renew(pid, (ulong)round << 14);
                Volatile.Write(ref sent, round);
                while (Volatile.Read(ref sent) != 0)
                {
                }
            }
        });
        kernel.Start();
        for (var round = 1; round <= rounds;)
        {
            selection.Deselect(pid);
            if (Volatile.Read(ref sent) == round)
            {
                undone += selection.IsSelected(pid) ? 0 : 1;
                selection.Heard(pid, (ulong)round << 14);
                round++;
                Volatile.Write(ref sent, 0);
            }
        }

        kernel.Join();
        Assert.Equal(0, undone);
    }
}
