using System.Text;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

public sealed class ProcDiskTests
{
    /// <summary>As proc_pid_io(5) shows it, with other numbers.</summary>
    private const string Text = """
        rchar: 323934931
        wchar: 323929600
        syscr: 632687
        syscw: 632675
        read_bytes: 4096
        write_bytes: 323932160
        cancelled_write_bytes: 7

        """;

    [Fact]
    public void The_two_numbers_of_storage_are_taken()
    {
        Assert.True(ProcDisk.TryParse(Encoding.UTF8.GetBytes(Text), out var disk));
        Assert.Equal(new ProcDisk(4096, 323932160), disk);
    }

    [Theory]
    [InlineData("")]
    [InlineData("read_bytes: 1\n")]
    [InlineData("write_bytes: 1\ncancelled_write_bytes: 1\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: x\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 2x\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: -2\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 9223372036854775808\n")]
    [InlineData("xread_bytes: 1\nwrite_bytes: 2\n")]
    public void What_is_no_such_text_is_no_number(string text) =>
        Assert.False(ProcDisk.TryParse(Encoding.UTF8.GetBytes(text), out _));

    /// <summary>A number is what stands on its line or nothing, wherever the text was cut and whatever became of its bytes.</summary>
    [Fact]
    public void No_text_of_any_kind_is_taken_for_another_number()
    {
        var whole = Encoding.UTF8.GetBytes(Text);
        var random = new Random(21);
        for (var i = 0; i < 100_000; i++)
        {
            var text = whole.AsSpan(0, random.Next(whole.Length + 1)).ToArray();
            for (var changes = random.Next(4); changes > 0 && text.Length > 0; changes--)
            {
                text[random.Next(text.Length)] = (byte)random.Next(256);
            }

            if (!ProcDisk.TryParse(text, out var disk))
            {
                continue;
            }

            // One byte for each character, so that nothing is put together.
            var lines = Encoding.Latin1.GetString(text).Split('\n');
            Assert.Equal(lines.First(line => line.StartsWith("read_bytes: ", StringComparison.Ordinal)), Line("read_bytes", disk.Read));
            Assert.Equal(
                lines.First(line => line.StartsWith("write_bytes: ", StringComparison.Ordinal)), Line("write_bytes", disk.Written));

            string Line(string name, long number) => lines.First(line => line.StartsWith(name + ": ", StringComparison.Ordinal)
                && long.TryParse(line[(name.Length + 2)..], out var value) && value == number);
        }
    }
}
