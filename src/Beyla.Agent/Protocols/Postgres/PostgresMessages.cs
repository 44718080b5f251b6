using System.Buffers.Binary;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The messages of the frontend/backend protocol 3 (PostgreSQL manual, chapter "Frontend/Backend Protocol", section "Message Formats"): a
/// type byte and a length, big-endian, that counts itself. Which types there are in each direction, and how long they can be.
/// </summary>
internal static class PostgresMessages
{
    /// <summary>Bytes of type and length.</summary>
    public const int HeaderSize = 5;

    /// <summary>Limit of the server: MaxAllocSize (PQ_LARGE_MESSAGE_LIMIT of libpq/libpq.h), in the length field.</summary>
    private const uint MaxLength = 0x3fff_ffff;

    /// <summary>Columns of a row: MaxTupleAttributeNumber (access/htup_details.h).</summary>
    private const int MaxColumns = 1664;

    /// <summary>The length field of a message.</summary>
    public static uint LengthOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32BigEndian(header[1..]);

    /// <summary>Whether a message of either direction can begin with this byte.</summary>
    public static bool IsType(byte type) => "QPBEDCHSFdcfXpRKZTN123nstAGWIVv"u8.Contains(type);

    /// <summary>Whether a client can send a message of this type with this value of the length field.</summary>
    public static bool IsRequest(byte type, uint length) => length <= MaxLength && type switch
    {
        (byte)'Q' => length >= 5,
        (byte)'P' => length >= 8,
        (byte)'B' => length >= 12,
        (byte)'E' => length >= 9,
        (byte)'D' or (byte)'C' => length >= 6,
        (byte)'S' or (byte)'H' or (byte)'X' or (byte)'c' => length == 4,
        (byte)'F' => length >= 14,
        (byte)'d' => length >= 4,
        (byte)'f' => length >= 5,
        (byte)'p' => length is >= 4 and <= 65535 + 4,
        _ => false,
    };

    /// <summary>Whether a server can send a message of this type with this value of the length field.</summary>
    public static bool IsResponse(byte type, uint length) => length <= MaxLength && type switch
    {
        (byte)'D' or (byte)'T' or (byte)'t' => length >= 6,
        (byte)'C' => length is >= 6 and <= 128,
        (byte)'Z' => length == 5,
        (byte)'1' or (byte)'2' or (byte)'3' or (byte)'n' or (byte)'s' or (byte)'I' or (byte)'c' => length == 4,
        (byte)'E' or (byte)'N' => length is >= 5 and <= 1 << 20,
        (byte)'S' => length is >= 6 and <= 1 << 16,
        (byte)'d' => length >= 4,
        (byte)'G' or (byte)'H' or (byte)'W' => length is >= 7 and <= 7 + (2 * MaxColumns),
        (byte)'R' => length is >= 8 and <= 1 << 16,
        (byte)'K' => length is >= 12 and <= 264,
        (byte)'A' => length is >= 10 and <= 1 << 14,
        (byte)'V' => length >= 8,
        (byte)'v' => length is >= 12 and <= 1 << 14,
        _ => false,
    };

    /// <summary>Whether the visible bytes of a body can be those of a request.</summary>
    /// <param name="type">Type of the message, valid with its length.</param>
    /// <param name="body">Its body as far as it is visible.</param>
    /// <param name="isWhole">Nothing of the body is missing.</param>
    public static bool MayBeRequest(byte type, ReadOnlySpan<byte> body, bool isWhole) => body.IsEmpty || type switch
    {
        (byte)'Q' => IsText(body, isWhole),
        (byte)'P' => body.IndexOf((byte)0) is var end && (end < 0 ? !isWhole && IsText(body, false) : IsText(body[(end + 1)..], false)),
        (byte)'D' or (byte)'C' => body[0] is (byte)'S' or (byte)'P' && (!isWhole || body[^1] == 0),
        (byte)'E' => !isWhole || body[^5] == 0,
        _ => true,
    };

    /// <summary>Whether the visible bytes of a body can be those of a response.</summary>
    /// <param name="type">Type of the message, valid with its length.</param>
    /// <param name="length">Its length field.</param>
    /// <param name="body">Its body as far as it is visible.</param>
    public static bool MayBeResponse(byte type, uint length, ReadOnlySpan<byte> body) => body.IsEmpty || type switch
    {
        (byte)'Z' => body[0] is (byte)'I' or (byte)'T' or (byte)'E',
        (byte)'D' => body.Length < 2 || Count(body) is var columns && columns <= MaxColumns && length >= 6 + (4 * columns),
        (byte)'T' => body.Length < 2 || Count(body) is var columns && columns <= MaxColumns && length >= 6 + (19 * columns),
        (byte)'C' => body[0] is >= (byte)'A' and <= (byte)'Z',
        (byte)'E' or (byte)'N' => body[0] == 'S',
        (byte)'S' => body[0] is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (byte)'_',
        (byte)'R' => body.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(body) <= 12,
        _ => true,
    };

    /// <summary>Whether bytes can be the beginning of SQL: printable, and of a statement if anything.</summary>
    /// <param name="text">As far as it is visible; a NUL ends it.</param>
    /// <param name="isWhole">The NUL is the last byte.</param>
    private static bool IsText(ReadOnlySpan<byte> text, bool isWhole)
    {
        if (isWhole && text[^1] != 0)
        {
            return false;
        }

        text = text[..Math.Min(text.Length, 64)];
        foreach (var b in text)
        {
            if (b < ' ' && b is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or (byte)'\v'))
            {
                return b == 0;
            }
        }

        return true;
    }

    private static int Count(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadUInt16BigEndian(body);
}
