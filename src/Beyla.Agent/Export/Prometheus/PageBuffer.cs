using System.Buffers;
using System.Buffers.Text;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>The bytes of a page, in memory of a pool that is given back with <see cref="Dispose"/>. One thread.</summary>
public sealed class PageBuffer : IDisposable
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(64 * 1024);

    /// <summary>How many there are.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>The same, for streams.</summary>
    public ReadOnlyMemory<byte> Memory => bytes.AsMemory(0, Length);

    /// <summary>Begins anew.</summary>
    public void Clear() => Length = 0;

    /// <summary>Bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        Length += text.Length;
    }

    /// <summary>One byte as it is.</summary>
    public void WriteByte(byte b)
    {
        Room(1)[0] = b;
        Length++;
    }

    /// <summary>Decimal.</summary>
    public void Write(long number)
    {
        if (number is >= 0 and < 10)
        {
            WriteByte((byte)('0' + number));
            return;
        }

        _ = Utf8Formatter.TryFormat(number, Room(20), out var written);
        Length += written;
    }

    /// <summary>
    /// The shortest decimal that reads back as the same number; a whole one has no point. <c>NaN</c>, <c>+Inf</c>, <c>-Inf</c>.
    /// </summary>
    public void Write(double number)
    {
        if (!double.IsFinite(number))
        {
            Write(double.IsNaN(number) ? "NaN"u8 : number > 0 ? "+Inf"u8 : "-Inf"u8);
            return;
        }

        _ = number.TryFormat(Room(32), out var written, provider: System.Globalization.CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>Lower-case hexadecimal, sixteen digits.</summary>
    public void WriteIdentity(ulong number)
    {
        var line = new LineWriter(Room(16));
        line.WriteIdentity(number);
        Length += 16;
    }

    /// <summary>Room for what others write, of at least so many bytes; <see cref="Advance"/> says what was used.</summary>
    public Span<byte> Room(int count)
    {
        if (bytes.Length - Length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * bytes.Length, Length + count));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = larger;
        }

        return bytes.AsSpan(Length);
    }

    /// <summary>So many bytes of <see cref="Room"/> were used.</summary>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        (bytes, Length) = ([], 0);
    }
}
