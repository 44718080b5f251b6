using System.Numerics;

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
    private int used;

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
    public int TextLength => used;

    /// <summary>Ready for the next span.</summary>
    public void Clear()
    {
        Present = 0;
        used = 0;
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

    /// <summary>Copies all values of another one.</summary>
    public void CopyFrom(SpanValues other)
    {
        if (text.Length < other.used)
        {
            text = new byte[other.text.Length];
        }

        other.text.AsSpan(0, other.used).CopyTo(text);
        other.values.CopyTo(values, 0);
        (used, Present) = (other.used, other.Present);
    }

    /// <summary>A copy that keeps no more room than its texts need.</summary>
    public SpanValues Copy()
    {
        var copy = new SpanValues(used);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Whether an attribute is there.</summary>
    public bool Has(SpanAttribute attribute) => (Present & (1ul << (int)attribute)) != 0;

    /// <summary>Whether the value of an attribute that is there is a number.</summary>
    public bool IsNumber(SpanAttribute attribute) => values[(int)attribute].Length < 0;

    /// <summary>The text of an attribute, valid until the next change; empty when there is none.</summary>
    public ReadOnlySpan<byte> Text(SpanAttribute attribute)
    {
        if (!Has(attribute))
        {
            return default;
        }

        var value = values[(int)attribute];
        return value.Length < 0 ? default : text.AsSpan(value.Start, value.Length);
    }

    /// <summary>The number of an attribute, or another one when there is none.</summary>
    public long Number(SpanAttribute attribute, long otherwise)
    {
        var value = values[(int)attribute];
        return Has(attribute) && value.Length < 0 ? value.Number : otherwise;
    }

    /// <summary>A line would not be JSON any more; what is on the wire has no part in this.</summary>
    private static void ThrowUnless(SpanAttribute attribute, bool isNumber)
    {
        if (((SpanAttributes.Numbers >> (int)attribute) & 1) != (isNumber ? 1ul : 0))
        {
            throw new ArgumentException($"{attribute} has another type.", nameof(attribute));
        }
    }

    private readonly record struct Value(int Start, int Length, long Number);
}
