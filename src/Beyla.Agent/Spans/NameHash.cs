using System.Buffers.Binary;
using System.Numerics;

namespace Beyla.Agent.Spans;

/// <summary>
/// SHA-1 (RFC 3174), for UUIDs of version 5 alone: nothing is kept secret by it. The framework's own would load OpenSSL, megabytes in
/// a worker that encrypts nothing.
/// </summary>
internal static class NameHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 20;

    private const int Block = 64;

    /// <summary>Hashes a text of some bytes.</summary>
    /// <param name="text">Shorter than 2^29 bytes.</param>
    /// <param name="hash">Takes the <see cref="Size"/> bytes.</param>
    public static void Of(ReadOnlySpan<byte> text, Span<byte> hash)
    {
        Span<uint> state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0];
        var rest = text;
        for (; rest.Length >= Block; rest = rest[Block..])
        {
            Add(rest[..Block], state);
        }

        // A one, zeros, and the length in bits in the last eight bytes.
        Span<byte> end = stackalloc byte[2 * Block];
        end.Clear();
        rest.CopyTo(end);
        end[rest.Length] = 0x80;
        end = end[..(rest.Length < Block - 8 ? Block : 2 * Block)];
        BinaryPrimitives.WriteUInt64BigEndian(end[^8..], (ulong)text.Length * 8);
        for (; end.Length > 0; end = end[Block..])
        {
            Add(end[..Block], state);
        }

        for (var i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash[(4 * i)..], state[i]);
        }
    }

    private static void Add(ReadOnlySpan<byte> block, Span<uint> state)
    {
        Span<uint> words = stackalloc uint[80];
        for (var t = 0; t < words.Length; t++)
        {
            words[t] = t < 16 ? BinaryPrimitives.ReadUInt32BigEndian(block[(4 * t)..])
                : BitOperations.RotateLeft(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
        }

        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4]);
        for (var t = 0; t < words.Length; t++)
        {
            var (mixed, constant) = t switch
            {
                < 20 => ((b & c) | (~b & d), 0x5A827999u),
                < 40 => (b ^ c ^ d, 0x6ED9EBA1u),
                < 60 => ((b & c) | (b & d) | (c & d), 0x8F1BBCDCu),
                _ => (b ^ c ^ d, 0xCA62C1D6u),
            };
            var next = unchecked(BitOperations.RotateLeft(a, 5) + mixed + e + words[t] + constant);
            (e, d, c, b, a) = (d, c, BitOperations.RotateLeft(b, 30), a, next);
        }

        unchecked
        {
            (state[0], state[1], state[2], state[3], state[4]) =
                (state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e);
        }
    }
}
