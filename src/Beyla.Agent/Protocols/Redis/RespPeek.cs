using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>The first bytes of a value: enough for a command's name, the first word of an error, a number.</summary>
internal struct RespPeek
{
    /// <summary>Bytes that are kept.</summary>
    public const int Size = 40;

    private Bytes bytes;

    /// <summary>Bytes kept.</summary>
    public int Length { get; private set; }

    /// <summary>What is kept.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> All => ((ReadOnlySpan<byte>)bytes)[..Length];

    /// <summary>Its first word: up to a blank or the end of a line.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Word
    {
        get
        {
            var end = All.IndexOfAny(" \r\n"u8);
            return end < 0 ? All : All[..end];
        }
    }

    /// <summary>Keeps what there is room for.</summary>
    public void Append(scoped ReadOnlySpan<byte> more)
    {
        more = more[..Math.Min(more.Length, Size - Length)];
        more.CopyTo(((Span<byte>)bytes)[Length..]);
        Length += more.Length;
    }

    /// <summary>Ready for another value.</summary>
    public void Clear() => Length = 0;

    [InlineArray(Size)]
    private struct Bytes
    {
        private byte first;
    }
}
