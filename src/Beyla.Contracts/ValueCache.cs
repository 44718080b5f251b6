using System.Net;
using System.Text;

namespace Beyla;

/// <summary>
/// Gives the same string or address for the same short text: names, methods and addresses repeat in nearly every line. A fixed number of
/// entries, each replaced by the next text that falls on it, so that hostile text cannot make it grow. Not thread-safe.
/// </summary>
internal sealed class ValueCache
{
    private const int Entries = 512, LongestText = 64;

    private readonly (byte[] Text, string Value)[] strings = new (byte[], string)[Entries];
    private readonly (byte[] Text, IPAddress Value)[] addresses = new (byte[], IPAddress)[Entries];

    /// <summary>The text as a string; anything but ASCII is not meant to come here.</summary>
    internal string String(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return "";
        }

        if (text.Length > LongestText)
        {
            return Encoding.UTF8.GetString(text);
        }

        ref var entry = ref strings[Slot(text)];
        if (entry.Text is null || !text.SequenceEqual(entry.Text))
        {
            entry = (text.ToArray(), Encoding.UTF8.GetString(text));
        }

        return entry.Value;
    }

    /// <summary>The address that the text gives; null when it gives none.</summary>
    internal IPAddress? Address(ReadOnlySpan<byte> text)
    {
        if (text.Length > LongestText)
        {
            return null;
        }

        ref var entry = ref addresses[Slot(text)];
        if (entry.Text is null || !text.SequenceEqual(entry.Text))
        {
            if (!IPAddress.TryParse(Encoding.UTF8.GetString(text), out var address))
            {
                return null;
            }

            entry = (text.ToArray(), address);
        }

        return entry.Value;
    }

    /// <summary>FNV-1a; a collision only costs a new object.</summary>
    private static int Slot(ReadOnlySpan<byte> text)
    {
        var hash = 2166136261u;
        foreach (var b in text)
        {
            hash = (hash ^ b) * 16777619u;
        }

        return (int)((hash ^ (hash >> 16)) % Entries);
    }
}
