using System.IO.Pipes;
using System.Text;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Tests.Logging;

/// <summary>The log on a pipe whose reader stands still.</summary>
public sealed class LogOutputTests : IDisposable
{
    private const int LineLength = 1000;

    private readonly AnonymousPipeServerStream pipe = new(PipeDirection.In);
    private readonly LogOutput output;

    public LogOutputTests() => output = new((int)pipe.ClientSafePipeHandle.DangerousGetHandle());

    public void Dispose() => pipe.Dispose();

    [Fact]
    public void What_has_no_room_is_dropped_whole_and_counted()
    {
        var written = Fill(0);
        Assert.InRange(written, 10, 1000); // a pipe holds 64 KB, or less for a user with many pipes
        Assert.Equal(0, output.Lost);
        output.CountLost(Line(written));
        output.CountLost("two\nlines\n"u8);
        Assert.Equal(3, output.Lost);
        output.ForgetLost(3);
        Assert.Equal(0, output.Lost);

        // Room again: what follows is whole lines, in order, without the dropped one.
        var seen = new StringBuilder();
        Read(seen, 5 * 4096);
        var more = Fill(written + 1) - written - 1;
        Assert.InRange(more, 1, 25);
        pipe.DisposeLocalCopyOfClientHandle();
        Read(seen, int.MaxValue);
        var lines = seen.ToString().Split('\n');
        Assert.Equal("", lines[^1]);
        Assert.Equal(
            Enumerable.Range(0, written).Concat(Enumerable.Range(written + 1, more))
                .Select(static i => Encoding.ASCII.GetString(Line(i)).TrimEnd('\n')),
            lines[..^1]);
    }

    [Fact]
    public void A_descriptor_that_is_not_open_takes_nothing() => Assert.False(new LogOutput(1 << 20).TryWrite("x\n"u8));

    /// <summary>Writes lines from a number on until there is no room.</summary>
    /// <returns>The number of the first line that had none.</returns>
    private int Fill(int from)
    {
        var i = from;
        while (output.TryWrite(Line(i)))
        {
            i++;
        }

        Assert.False(output.TryWrite(Line(i)));
        return i;
    }

    private void Read(StringBuilder into, int bytes)
    {
        var buffer = new byte[4096];
        for (int read; bytes > 0 && (read = pipe.Read(buffer, 0, Math.Min(bytes, buffer.Length))) > 0; bytes -= read)
        {
            into.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }

    private static byte[] Line(int number) => Encoding.ASCII.GetBytes($"line {number} ".PadRight(LineLength - 1, '.') + "\n");
}
