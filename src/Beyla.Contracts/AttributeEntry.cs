namespace Beyla;

/// <summary>A name and its value, which is a text or else a number.</summary>
/// <param name="Name">The OpenTelemetry name.</param>
/// <param name="Attribute">Which one of the table it is; null when a newer agent added it.</param>
/// <param name="Text">The text; null for a number.</param>
/// <param name="Number">The number.</param>
internal readonly record struct AttributeEntry(string Name, SpanAttribute? Attribute, string? Text, long Number)
{
    /// <summary>Attributes that the table does not have: a span keeps so many; longer names are left out.</summary>
    private const int MaximumOthers = 64, LongestName = 256;

    /// <summary>The value as an object; makes one of a number.</summary>
    internal object Value => Text ?? (object)Number;

    /// <summary>An entry of the table, with the one string of its name.</summary>
    internal static AttributeEntry Of(SpanAttribute attribute, string text) =>
        new(SpanAttributes.Of(attribute).Name, attribute, text, 0);

    /// <summary>An entry of the table, with the one string of its name.</summary>
    internal static AttributeEntry Of(SpanAttribute attribute, long number) =>
        new(SpanAttributes.Of(attribute).Name, attribute, null, number);

    /// <summary>
    /// Puts the entry into its place: known ones in the order of the table, then others by name. A name comes once; the last value
    /// counts. An empty text says nothing and is left out, and so are others beyond a bounded number.
    /// </summary>
    internal void AddTo(List<AttributeEntry> entries)
    {
        if (Text is "" || (Attribute is null && Name.Length > LongestName))
        {
            return;
        }

        var (place, others) = (entries.Count, 0);
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            var other = entries[i];
            if (Attribute is { } known ? other.Attribute == known : other.Attribute is null && other.Name == Name)
            {
                entries[i] = this;
                return;
            }

            others += other.Attribute is null ? 1 : 0;
            place = IsBefore(other) ? i : place;
        }

        if (Attribute is not null || others < MaximumOthers)
        {
            entries.Insert(place, this);
        }
    }

    private bool IsBefore(AttributeEntry other) => Attribute is { } mine
        ? other.Attribute is not { } its || mine < its
        : other.Attribute is null && string.CompareOrdinal(Name, other.Name) < 0;
}
