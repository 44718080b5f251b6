namespace Beyla.Agent.Spans;

/// <summary>
/// The attributes of one span: texts as captured (untrusted, unescaped, not redacted) and numbers, in the order in which they were added.
/// Used again for each span, so that none is allocated. One thread.
/// </summary>
public sealed class SpanValues
{
    /// <summary>Bytes of all texts together; what does not fit is cut.</summary>
    public const int MaxText = 48 * 1024;

    private const int MaxValues = 32;

    private readonly Value[] values = new Value[MaxValues];
    private byte[] text = new byte[1024];
    private int used;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all texts.</summary>
    public int TextLength => used;

    /// <summary>Ready for the next span.</summary>
    public void Clear() => Count = used = 0;

    /// <summary>Adds a text. Each attribute at most once; an empty text says nothing and is left out.</summary>
    /// <param name="attribute">Which.</param>
    /// <param name="value">Copied.</param>
    public void Add(SpanAttribute attribute, scoped ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return;
        }

        value = value[..Math.Min(value.Length, MaxText - used)];
        if (used + value.Length > text.Length)
        {
            Array.Resize(ref text, Math.Min(MaxText, Math.Max(2 * text.Length, used + value.Length)));
        }

        value.CopyTo(text.AsSpan(used));
        values[Count++] = new Value(attribute, used, value.Length, 0);
        used += value.Length;
    }

    /// <summary>Adds a number. Each attribute at most once.</summary>
    public void Add(SpanAttribute attribute, long value) => values[Count++] = new Value(attribute, 0, -1, value);

    /// <summary>Copies all values of another one.</summary>
    public void CopyFrom(SpanValues other)
    {
        Clear();
        for (var i = 0; i < other.Count; i++)
        {
            if (other.IsNumber(i))
            {
                Add(other.AttributeAt(i), other.NumberAt(i));
            }
            else
            {
                Add(other.AttributeAt(i), other.TextAt(i));
            }
        }
    }

    /// <summary>Which attribute stands at that place.</summary>
    public SpanAttribute AttributeAt(int index) => values[index].Attribute;

    /// <summary>Whether the value at that place is a number.</summary>
    public bool IsNumber(int index) => values[index].Length < 0;

    /// <summary>The number at that place.</summary>
    public long NumberAt(int index) => values[index].Number;

    /// <summary>The text at that place; valid until the next change.</summary>
    public ReadOnlySpan<byte> TextAt(int index) => text.AsSpan(values[index].Start, values[index].Length);

    /// <summary>The text of an attribute; empty when there is none.</summary>
    public ReadOnlySpan<byte> Text(SpanAttribute attribute)
    {
        for (var i = 0; i < Count; i++)
        {
            if (values[i].Attribute == attribute && values[i].Length >= 0)
            {
                return TextAt(i);
            }
        }

        return default;
    }

    /// <summary>The number of an attribute, or another one when there is none.</summary>
    public long Number(SpanAttribute attribute, long otherwise)
    {
        for (var i = 0; i < Count; i++)
        {
            if (values[i].Attribute == attribute && values[i].Length < 0)
            {
                return values[i].Number;
            }
        }

        return otherwise;
    }

    private readonly record struct Value(SpanAttribute Attribute, int Start, int Length, long Number);
}
