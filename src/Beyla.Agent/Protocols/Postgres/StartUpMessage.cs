using System.Buffers.Binary;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The messages with which a connection begins (PostgreSQL manual, "Message Formats": StartupMessage, SSLRequest, GSSENCRequest,
/// CancelRequest): a length, big-endian, that counts itself, and a code; no type.
/// </summary>
internal static class StartUpMessage
{
    /// <summary>The longest that a server takes: MAX_STARTUP_PACKET_LENGTH (libpq/pqcomm.h).</summary>
    public const int MaxLength = 10000;

    /// <summary>Codes of requests that are no start-up.</summary>
    public const uint Cancel = 80877102, Ssl = 80877103, GssEncryption = 80877104;

    /// <summary>Whether a message can have this length and this code.</summary>
    public static bool IsValid(uint length, uint code) => code switch
    {
        Ssl or GssEncryption => length == 8,
        Cancel => length is >= 16 and <= 12 + 256,
        _ => IsVersion(code) && length is >= 9 and <= MaxLength,
    };

    /// <summary>Whether the code is version 3 of the protocol: the major number above, the minor one below.</summary>
    public static bool IsVersion(uint code) => code >> 16 == 3 && (code & 0xffff) < 10000;

    /// <summary>Whether the first bytes of a connection can be such a message.</summary>
    /// <returns>Null when there are too few bytes to tell.</returns>
    public static bool? MayBegin(ReadOnlySpan<byte> data)
    {
        if (data.Length < 8)
        {
            // The length is below 64 KB.
            return data.IsEmpty || (data[0] == 0 && (data.Length < 2 || data[1] == 0)) ? null : false;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(data);
        var code = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        // The name of the first parameter, or the end of an empty list.
        return IsValid(length, code)
            && (!IsVersion(code) || data.Length == 8 || data[8] is 0 or (byte)'_' || char.IsAsciiLetter((char)data[8]));
    }

    /// <summary>The value of a parameter of a start-up.</summary>
    /// <param name="body">Names and values, each with a NUL behind it; cut perhaps.</param>
    /// <param name="name">Which.</param>
    /// <param name="value">Its value; empty when there is none.</param>
    /// <returns>Whether the parameter is there, with its whole value.</returns>
    public static bool TryFind(ReadOnlySpan<byte> body, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (NulText.TryTake(ref body, out var key) && !key.IsEmpty && NulText.TryTake(ref body, out value))
        {
            if (key.SequenceEqual(name))
            {
                return true;
            }
        }

        value = default;
        return false;
    }
}
