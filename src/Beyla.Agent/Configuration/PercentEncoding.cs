using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Undoes percent-encoding of UTF-8 (RFC 3986 section 2.1), which the variables that are lists in the form of W3C Baggage have in their
/// values, and gRPC in its messages. It is done in two manners: all of a text or nothing, or what is right and no more.
/// </summary>
internal static class PercentEncoding
{
    /// <summary>Bytes of one that is encoded: a percent sign and two digits.</summary>
    private const int Encoded = 3;

    /// <summary>Undoes it where all of it is right.</summary>
    /// <param name="text">May also have bytes beyond ASCII as they are.</param>
    /// <param name="decoded">Gets the text.</param>
    /// <returns>False when a percent sign is not followed by two hexadecimal digits, or the bytes are not UTF-8.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> text, out string decoded)
    {
        decoded = "";
        Span<byte> bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; length++)
        {
            if (text[i] != '%')
            {
                bytes[length] = text[i++];
            }
            else if (TryByte(text[i..], out bytes[length]))
            {
                i += Encoded;
            }
            else
            {
                return false;
            }
        }

        if (!Utf8.IsValid(bytes[..length]))
        {
            return false;
        }

        decoded = Encoding.UTF8.GetString(bytes[..length]);
        return true;
    }

    /// <summary>Undoes it where it is right. What is not, by the rules of <see cref="TryDecode"/>, stays as it is.</summary>
    public static string DecodeValid(string text)
    {
        ReadOnlySpan<byte> encoded = Encoding.UTF8.GetBytes(text);
        Span<byte> bytes = new byte[encoded.Length], character = stackalloc byte[4];
        var length = 0;
        for (var i = 0; i < encoded.Length;)
        {
            var used = ReadCharacter(encoded[i..], character);
            if (used == 0)
            {
                bytes[length++] = encoded[i++];
                continue;
            }

            character[..used].CopyTo(bytes[length..]);
            length += used;
            i += used * Encoded;
        }

        return Encoding.UTF8.GetString(bytes[..length]);
    }

    /// <summary>Reads one character that is encoded.</summary>
    /// <returns>How many bytes it has; 0 where there is none.</returns>
    private static int ReadCharacter(ReadOnlySpan<byte> text, Span<byte> character)
    {
        var length = 0;
        while (length < character.Length && TryByte(text[(length * Encoded)..], out character[length]))
        {
            length++;
        }

        return Rune.DecodeFromUtf8(character[..length], out _, out var used) == OperationStatus.Done ? used : 0;
    }

    private static bool TryByte(ReadOnlySpan<byte> text, out byte value)
    {
        value = 0;
        return text.Length >= Encoded && text[0] == '%'
            && Utf8Parser.TryParse(text[1..Encoded], out value, out var read, 'x') && read == Encoded - 1;
    }
}
