using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// The list of who is traced, bit by bit as the programs read it: bit n % 64 of 64-bit word n / 64 (has_bit() in bpf/include/selection.h),
/// which is bit
/// n % 8 of byte n / 8 on a little-endian machine.
/// </summary>
public sealed class SelectionMapTests : IDisposable
{
    private readonly SelectionMemory memory = new();
    private readonly SelectionMap selection;

    public SelectionMapTests() => selection = new SelectionMap(memory.Descriptor);

    public void Dispose()
    {
        selection.Dispose();
        memory.Dispose();
    }

    [Theory]
    [InlineData(0, 0, 0x01)]
    [InlineData(1, 0, 0x02)]
    [InlineData(31, 3, 0x80)]
    [InlineData(32, 4, 0x01)] // a shift of an int would be bit 0 again
    [InlineData(63, 7, 0x80)]
    [InlineData(64, 8, 0x01)]
    [InlineData(4194303, 524287, 0x80)] // the last process id of a 64-bit kernel; behind it begins the next list
    public void A_process_is_one_bit(int pid, int at, byte bit)
    {
        selection.Select(pid);
        Assert.Equal([(SelectionMemory.Pids + at, bit)], memory.Written);
        Assert.True(selection.IsSelected(pid));

        selection.Exclude(pid);
        Assert.Equal([(SelectionMemory.Excluded + at, bit)], memory.Written);
        Assert.False(selection.IsSelected(pid));

        selection.Include(pid);
        Assert.Empty(memory.Written);

        selection.MarkGo(pid, true);
        Assert.Equal([(SelectionMemory.Go + at, bit)], memory.Written);
        Assert.False(selection.IsSelected(pid));
        selection.MarkGo(pid, false);
        Assert.Empty(memory.Written);
    }

    [Fact]
    public void Neighbours_stay_as_they_are()
    {
        foreach (var pid in (int[])[7, 8, 9])
        {
            selection.Select(pid);
        }

        selection.Select(8);
        selection.Deselect(8);
        selection.Deselect(8);
        Assert.Equal([(0, 0x80), (1, 0x02)], memory.Written);
        Assert.Equal((true, false, true), (selection.IsSelected(7), selection.IsSelected(8), selection.IsSelected(9)));
    }

    [Theory]
    [InlineData(0, 0, 0x01)]
    [InlineData(8080, 1010, 0x01)]
    [InlineData(65535, 8191, 0x80)]
    public void A_port_is_one_bit_and_tells_the_programs_to_look_at_ports(int port, int at, byte bit)
    {
        selection.SelectPort(port);
        Assert.Equal([(SelectionMemory.Ports + at, bit), (SelectionMemory.ByPort, 1)], memory.Written);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(4194304)] // PID_MAX_LIMIT: the first bit of the next list
    [InlineData(int.MaxValue)]
    public void No_other_number_is_a_process(int pid)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => selection.Select(pid));
        Assert.Throws<ArgumentOutOfRangeException>(() => selection.Deselect(pid));
        Assert.Throws<ArgumentOutOfRangeException>(() => selection.Exclude(pid));
        Assert.Throws<ArgumentOutOfRangeException>(() => selection.Include(pid));
        selection.Exclude(0); // what would be found by reading on
        Assert.False(selection.IsSelected(pid));
        Assert.Equal([(SelectionMemory.Excluded, 1)], memory.Written);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65536)]
    public void No_other_number_is_a_port(int port)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => selection.SelectPort(port));
        Assert.Empty(memory.Written);
    }

    [Fact]
    public void The_gate_and_the_sleeping_reader_have_a_word_each()
    {
        selection.Capture(true);
        Assert.Equal([(SelectionMemory.Capture, 1)], memory.Written);
        selection.Sleep();
        Assert.Equal([(SelectionMemory.Asleep, 1), (SelectionMemory.Capture, 1)], memory.Written);
        selection.Capture(false);
        Assert.Equal([(SelectionMemory.Asleep, 1)], memory.Written);
        selection.Wake();
        Assert.Empty(memory.Written);
    }

    [Fact]
    public void What_the_kernel_side_writes_is_seen()
    {
        Assert.Equal(0u, selection.Lost);
        memory[SelectionMemory.Lost] = uint.MaxValue;
        Assert.Equal(uint.MaxValue, selection.Lost);
        memory[SelectionMemory.Pids + 4] = 0x80; // select_pid(39), as a program does for a child
        Assert.True(selection.IsSelected(39));
        Assert.False(selection.IsSelected(7));
    }

    /// <summary>The programs change bits of the same word at any moment; a change that is not atomic would undo theirs.</summary>
    [Fact]
    public void Changes_of_the_same_word_at_the_same_time_all_hold()
    {
        using SelectionMap other = new(memory.Descriptor);
        using Barrier start = new(2);
        var undone = 0;
        Thread thread = new(() => Change(other, 1));
        thread.Start();
        Change(selection, 0);
        thread.Join();
        Assert.Equal(0, undone);
        // This thread left every even bit of the word set and the other one every odd bit.
        Assert.Equal(Enumerable.Range(0, 8).Select(static i => (i, (byte)0xff)), memory.Written);

        void Change(SelectionMap map, int first)
        {
            start.SignalAndWait();
            for (var again = 0; again < 20_000; again++)
            {
                for (var pid = first; pid < 64; pid += 2)
                {
                    map.Deselect(pid);
                    undone += map.IsSelected(pid) ? 1 : 0;
                    map.Select(pid);
                    undone += map.IsSelected(pid) ? 0 : 1;
                }
            }
        }
    }

    [Fact]
    public void A_descriptor_that_cannot_be_mapped_is_an_error_that_says_why()
    {
        var failure = Assert.Throws<KernelException>(static () => new SelectionMap(-1));
        Assert.Contains("map the selection", failure.Message, StringComparison.Ordinal);
        Assert.Contains("EBADF", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Only a map of the kernel can be shared with further programs.</summary>
    [Fact]
    public void Memory_alone_has_no_map() => Assert.Throws<InvalidOperationException>(() => selection.Map);
}
