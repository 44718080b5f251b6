using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Beyla.Agent.Spans;

/// <summary>
/// The attributes of one span: texts as captured (untrusted, unescaped, not redacted) and numbers. Used again for each span, so that
/// none is allocated. One thread.
/// </summary>
public sealed class SpanValues
{
    /// <summary>Bytes of all texts together; what does not fit is cut.</summary>
    public const int MaxText = 48 * 1024;

    // By attribute, so that a value is found at once and a walk goes in the order of the table.
    private readonly Value[] values = new Value[SpanAttributes.Count];
    private byte[] text;
    private byte[]? shared;
    private int used, usedShared;

    /// <summary>Empty, with room for usual texts.</summary>
    public SpanValues()
        : this(1024)
    {
    }

    private SpanValues(int room) => text = room == 0 ? [] : new byte[room];

    /// <summary>A bit for each attribute that is there: 1 &lt;&lt; the attribute.</summary>
    public ulong Present { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count => BitOperations.PopCount(Present);

    /// <summary>Bytes of all texts.</summary>
    public int TextLength => used + usedShared;

    /// <summary>Ready for the next span.</summary>
    public void Clear()
    {
        Present = 0;
        used = usedShared = 0;
        shared = null;
    }

    /// <summary>Gives texts that need no copy, since they stay where they are until the span is over (<see cref="AddShared"/>).</summary>
    public void Share(byte[]? texts) => shared = texts;

    /// <summary>Adds a text that stands among those that are shared. An empty text is left out.</summary>
    /// <param name="attribute">Which.</param>
    /// <param name="start">Where it begins in what was given to <see cref="Share"/>.</param>
    /// <param name="length">Bytes.</param>
    /// <exception cref="ArgumentException">The table says that the attribute is a number.</exception>
    public void AddShared(SpanAttribute attribute, int start, int length)
    {
        ThrowUnless(attribute, isNumber: false);
        if (length > 0)
        {
            values[(int)attribute] = new Value(~start, length, 0);
            usedShared += length;
            Present |= 1ul << (int)attribute;
        }
    }

    /// <summary>Adds a text, or puts it in the place of the one that was there. An empty text says nothing and is left out.</summary>
    /// <param name="attribute">Which.</param>
    /// <param name="value">Copied.</param>
    /// <exception cref="ArgumentException">The table says that the attribute is a number.</exception>
    public void Add(SpanAttribute attribute, scoped ReadOnlySpan<byte> value)
    {
        ThrowUnless(attribute, isNumber: false);
        if (value.IsEmpty)
        {
            Present &= ~(1ul << (int)attribute);
            return;
        }

        value = value[..Math.Min(value.Length, MaxText - used)];
        if (used + value.Length > text.Length)
        {
            Array.Resize(ref text, Math.Min(MaxText, Math.Max(2 * text.Length, used + value.Length)));
        }

        value.CopyTo(text.AsSpan(used));
        values[(int)attribute] = new Value(used, value.Length, 0);
        used += value.Length;
        Present |= 1ul << (int)attribute;
    }

    /// <summary>Adds a number, or puts it in the place of the one that was there.</summary>
    /// <exception cref="ArgumentException">The table says that the attribute is a text.</exception>
    public void Add(SpanAttribute attribute, long value)
    {
        ThrowUnless(attribute, isNumber: true);
        values[(int)attribute] = new Value(0, -1, value);
        Present |= 1ul << (int)attribute;
    }

    /// <summary>Copies all values of another one, the texts that it shares too.</summary>
    public void CopyFrom(SpanValues other)
    {
        Clear();
        if (text.Length < other.TextLength)
        {
            text = new byte[other.TextLength];
        }

        for (var rest = other.Present; rest != 0; rest &= rest - 1)
        {
            var attribute = (SpanAttribute)BitOperations.TrailingZeroCount(rest);
            if (other.IsNumber(attribute))
            {
                Add(attribute, other.Number(attribute, 0));
            }
            else
            {
                Add(attribute, other.Text(attribute));
            }
        }
    }

    /// <summary>A copy that keeps no more room than its texts need.</summary>
    public SpanValues Copy()
    {
        var copy = new SpanValues(TextLength);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Whether an attribute is there.</summary>
    public bool Has(SpanAttribute attribute) => (Present & (1ul << (int)attribute)) != 0;

    /// <summary>Whether the value of an attribute that is there is a number.</summary>
    public bool IsNumber(SpanAttribute attribute) => values[(int)attribute].Length < 0;

    /// <summary>The text of an attribute, valid until the next change; empty when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Text(SpanAttribute attribute)
    {
        if (!Has(attribute))
        {
            return default;
        }

        ref readonly var value = ref values[(int)attribute];
        return value.Length < 0 ? default
            : value.Start < 0 ? shared.AsSpan(~value.Start, value.Length) : text.AsSpan(value.Start, value.Length);
    }

    /// <summary>The number of an attribute, or another one when there is none.</summary>
    public long Number(SpanAttribute attribute, long otherwise)
    {
        var value = values[(int)attribute];
        return Has(attribute) && value.Length < 0 ? value.Number : otherwise;
    }

    /// <summary>A line would not be JSON any more; what is on the wire has no part in this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ThrowUnless(SpanAttribute attribute, bool isNumber)
    {
        if (((SpanAttributes.Numbers >> (int)attribute) & 1) != (isNumber ? 1ul : 0))
        {
            Throw(attribute);
        }
    }

    [DoesNotReturn]
    private static void Throw(SpanAttribute attribute) =>
        throw new ArgumentException($"{attribute} has another type.", nameof(attribute));

    private readonly record struct Value(int Start, int Length, long Number);
}
