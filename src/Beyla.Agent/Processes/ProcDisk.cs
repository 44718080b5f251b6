using System.Buffers.Text;

namespace Beyla.Agent.Processes;

/// <summary>
/// What a process has had read from and written to storage, all its threads together, those that are over among them (proc_pid_io(5)).
/// What the page cache had is not read; what is written counts when the page becomes dirty.
/// </summary>
/// <param name="Read">Bytes, read_bytes.</param>
/// <param name="Written">Bytes, write_bytes.</param>
public readonly record struct ProcDisk(long Read, long Written)
{
    /// <summary>Reads the text of /proc/PID/io.</summary>
    /// <returns>False where one of the two numbers is not there, or is none.</returns>
    internal static bool TryParse(ReadOnlySpan<byte> text, out ProcDisk disk)
    {
        disk = default;
        if (!TryNumber(text, "read_bytes: "u8, out var read) || !TryNumber(text, "write_bytes: "u8, out var written))
        {
            return false;
        }

        disk = new ProcDisk(read, written);
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name, out long number)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            if (line.StartsWith(name))
            {
                var digits = line[name.Length..];
                return Utf8Parser.TryParse(digits, out number, out var length) && length == digits.Length && number >= 0;
            }

            text = text[(end < 0 ? text.Length : end + 1)..];
        }

        number = 0;
        return false;
    }
}
