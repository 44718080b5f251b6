using System.Text;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>The version of Go that built a program, from its section .go.buildinfo (Go's debug/buildinfo).</summary>
internal static class GoVersion
{
    private const int HeaderSize = 32, MaximumLength = 64, FlagsAt = 15, InlineStrings = 2;

    /// <summary>Reads the text, such as <c>go1.19.8</c>; null where it is not there. Go before 1.18 keeps it elsewhere.</summary>
    /// <param name="file">The executable.</param>
    /// <param name="section">Its .go.buildinfo.</param>
    /// <param name="budget">What may still be read.</param>
    internal static string? Read(int file, FileRange section, InspectionBudget budget)
    {
        Span<byte> bytes = stackalloc byte[HeaderSize + 1 + MaximumLength];
        if (section.IsEmpty || !budget.TrySpend(bytes.Length))
        {
            return null;
        }

        var length = ProcCalls.ReadAt(file, bytes[..(int)Math.Min(section.Size, bytes.Length)], section.Offset);
        if (length <= HeaderSize || bytes[0] != 0xff || !bytes[1..].StartsWith(" Go buildinf:"u8) || (bytes[FlagsAt] & InlineStrings) == 0)
        {
            return null;
        }

        // A length as a varint: of one byte, for a version.
        var text = bytes[(HeaderSize + 1)..length];
        int size = bytes[HeaderSize];
        if (size is 0 or > MaximumLength || size > text.Length)
        {
            return null;
        }

        text = text[..size];
        return text.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? null : Encoding.ASCII.GetString(text);
    }

    /// <summary>
    /// The minor version: 19 of <c>go1.19.8</c>. -1 where the text does not say it of a release, whose layout is that of the version: of
    /// <c>devel go1.27-0123abcd</c> nobody knows.
    /// </summary>
    internal static int Minor(ReadOnlySpan<char> version)
    {
        if (!version.StartsWith("go1."))
        {
            return -1;
        }

        var rest = version[4..];
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? rest.Length : digits;
        if (digits is 0 or > 3)
        {
            return -1;
        }

        var tail = rest[digits..];
        return tail.IsEmpty || tail[0] is '.' or ' ' or '-' or '+' || tail.StartsWith("rc") ? int.Parse(rest[..digits]) : -1;
    }
}
