using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

public sealed class ProcUsageTests
{
    /// <summary>proc_pid_stat(5), with the numbers of the fields as their values, where they matter.</summary>
    [Fact]
    public void The_fields_are_those_of_the_manual_page()
    {
        var text = "1 (a) b (c) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 18446744073709551615 26 27\n"u8;
        Assert.True(ProcUsage.TryParse(text, out var usage));
        Assert.Equal(
            new ProcUsage
            {
                MinorFaults = 10, MajorFaults = 12, User = 14, System = 15, Threads = 20, StartTime = 22, Virtual = 23,
                Resident = 24L * Environment.SystemPageSize,
            },
            usage);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 (a")]
    [InlineData("1 (a)")]
    [InlineData("1 (a) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n")]
    [InlineData("1 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n")]
    [InlineData("1 (a) S 4 5 6 7 8 9 x 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n")]
    public void What_is_no_living_process_is_no_usage(string text) =>
        Assert.False(ProcUsage.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void This_process_is_measured()
    {
        Assert.True(ProcUsage.TryRead(Environment.ProcessId, out var first));
        var block = new byte[64 * 1024 * 1024];
        Array.Fill(block, (byte)1);
        var until = Environment.CpuUsage.UserTime + TimeSpan.FromMilliseconds(100);
        while (Environment.CpuUsage.UserTime < until)
        {
        }

        Assert.True(ProcUsage.TryRead(Environment.ProcessId, out var second));
        GC.KeepAlive(block);
        Assert.Equal(first.StartTime, second.StartTime);
        // The kernel splits processor time by samples: one tick of these may be counted as its own.
        Assert.True(second.User + second.System - first.User - first.System >= 8, $"{first} {second}");
        Assert.True(second.Resident >= block.Length && second.Virtual > second.Resident, second.ToString());
        Assert.InRange(second.Threads, 2, 1000);
    }

    [Fact]
    public void Nobody_has_no_usage() => Assert.False(ProcUsage.TryRead(int.MaxValue, out _));
}
