using System.Buffers.Text;

namespace Beyla.Agent.Processes;

/// <summary>Reads the text of /proc/PID/stat (proc_pid_stat(5)).</summary>
internal static class ProcStatFields
{
    private const int State = 3;

    /// <summary>Fills in the fields behind the state, each at its number in the manual page.</summary>
    /// <param name="text">The text, or its beginning.</param>
    /// <param name="fields">As long as the last number that is wanted, and one more.</param>
    /// <returns>False where it is not the text of a living process, a zombie included, or ends too soon.</returns>
    public static bool TryRead(ReadOnlySpan<byte> text, Span<long> fields)
    {
        // The name in parentheses may hold anything, so what follows is counted from the last closing one.
        var end = text.LastIndexOf((byte)')');
        if (end < 0 || end + 2 >= text.Length || text[end + 2] is (byte)'Z' or (byte)'X' or (byte)'x')
        {
            return false;
        }

        text = text[(end + 2)..];
        for (var i = State; ; i++)
        {
            end = text.IndexOfAny((byte)' ', (byte)'\n');
            if (i > State && !TryNumber(end < 0 ? text : text[..end], out fields[i]))
            {
                return false;
            }

            if (i == fields.Length - 1)
            {
                return true;
            }

            if (end < 0)
            {
                return false;
            }

            text = text[(end + 1)..];
        }
    }

    /// <summary>Some fields are unsigned and may not fit; none of those that are used.</summary>
    private static bool TryNumber(ReadOnlySpan<byte> text, out long number) =>
        Utf8Parser.TryParse(text, out number, out var read) ? read == text.Length
        : Utf8Parser.TryParse(text, out ulong _, out read) && read == text.Length;
}
