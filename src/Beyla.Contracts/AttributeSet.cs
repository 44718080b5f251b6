using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Beyla;

/// <summary>
/// The attributes of a span by OpenTelemetry name, in the order of the table (<see cref="SpanAttributes"/>), then by name those that
/// the table does not have. Immutable. A value is a string or a long. Names are found in any case of letters, as in a hashtable of
/// PowerShell. Text comes from the network and is not escaped here.
/// </summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "It is a set of attributes, and says so.")]
public sealed partial class AttributeSet : IReadOnlyDictionary<string, object>, IEquatable<AttributeSet>
{
    private readonly AttributeEntry[] entries;

    internal AttributeSet(AttributeEntry[] entries) => this.entries = entries;

    /// <summary>No attributes.</summary>
    public static AttributeSet Empty { get; } = new([]);

    /// <summary>How many there are.</summary>
    public int Count => entries.Length;

    /// <summary>Their names.</summary>
    public IEnumerable<string> Keys => entries.Select(static entry => entry.Name);

    /// <summary>Their values.</summary>
    public IEnumerable<object> Values => entries.Select(static entry => entry.Value);

    /// <summary>The value of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is no attribute of that name.</exception>
    public object this[string key] =>
        TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"The span has no attribute '{key}'.");

    /// <summary>
    /// The set of some names and values. A value is a text or a whole number; a text that says a number is one where the table says so.
    /// </summary>
    /// <exception cref="FormatException">A value is no number where the table has one.</exception>
    public static AttributeSet Of(IEnumerable<KeyValuePair<string, object?>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var entries = new List<AttributeEntry>();
        foreach (var (name, value) in values)
        {
            if (value is not null && Entry(name, value) is { } entry)
            {
                entry.AddTo(entries);
            }
        }

        return entries.Count == 0 ? Empty : new([.. entries]);
    }

    /// <summary>The set of some names and values, as the other one.</summary>
    public static AttributeSet Of(params (SpanAttribute Attribute, object? Value)[] values) =>
        Of(values.Select(static pair => KeyValuePair.Create(SpanAttributes.Of(pair.Attribute).Name, pair.Value)));

    /// <summary>The set that a JSON object says, as <see cref="ToString"/> writes it.</summary>
    /// <exception cref="FormatException">The text is no JSON object of texts and numbers.</exception>
    public static AttributeSet Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 2 });
            return Of(document.RootElement.EnumerateObject().Select(static one => KeyValuePair.Create(one.Name, Simple(one.Value))));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new FormatException("The attributes are no JSON object.", error);
        }
    }

    /// <summary>The text of an attribute; empty when there is none.</summary>
    public string Text(SpanAttribute attribute)
    {
        foreach (var entry in entries)
        {
            if (entry.Attribute == attribute)
            {
                return entry.Text ?? entry.Number.ToString(CultureInfo.InvariantCulture);
            }
        }

        return "";
    }

    /// <summary>The number of an attribute; null when there is none.</summary>
    public long? Number(SpanAttribute attribute)
    {
        foreach (var entry in entries)
        {
            if (entry.Attribute == attribute)
            {
                return entry.Text is null ? entry.Number : null;
            }
        }

        return null;
    }

    /// <summary>The same set with each text and each name changed; the set itself where nothing changes.</summary>
    /// <param name="change">Gives the text that is to stand there.</param>
    public AttributeSet Change(Func<string, string> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        AttributeEntry[]? changed = null;
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = entries[i];
            var name = entry.Attribute is null ? change(entry.Name) : entry.Name;
            var text = entry.Text is null ? null : change(entry.Text);
            if (!ReferenceEquals(name, entry.Name) || !ReferenceEquals(text, entry.Text))
            {
                changed ??= [.. entries];
                changed[i] = entry with { Name = name, Text = text };
            }
        }

        return changed is null ? this : new(changed);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => TryGetValue(key, out _);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object value)
    {
        foreach (var entry in entries)
        {
            if (entry.Name.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                value = entry.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() =>
        entries.Select(static entry => KeyValuePair.Create(entry.Name, entry.Value)).GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(AttributeSet? other) => other is not null && entries.AsSpan().SequenceEqual(other.entries);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AttributeSet);

    /// <inheritdoc/>
    public override int GetHashCode() => entries.Aggregate(0, static (hash, entry) => HashCode.Combine(hash, entry));

    /// <summary>One JSON object: what Export-Csv writes, and <see cref="Parse"/> reads.</summary>
    public override string ToString()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            WriteTo(writer);
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    /// <summary>Writes each name and value into the object that is open.</summary>
    internal void WriteTo(Utf8JsonWriter writer)
    {
        foreach (var entry in entries)
        {
            if (entry.Text is null)
            {
                writer.WriteNumber(entry.Name, entry.Number);
            }
            else
            {
                writer.WriteString(entry.Name, entry.Text);
            }
        }
    }

    private static object? Simple(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : value.GetRawText();

    private static AttributeEntry? Entry(string name, object value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        var attribute = SpanAttributes.Find(name);
        if (attribute is { } known && SpanAttributes.Of(known).IsEnvelope)
        {
            return null; // it has a field of its own
        }

        var isText = attribute is { } its ? !SpanAttributes.Of(its).IsNumber : value is string;
        if (!isText && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return attribute is { } row ? AttributeEntry.Of(row, number) : new(name, null, null, number);
        }

        return attribute is not { } one ? new(name, null, text, 0)
            : isText ? AttributeEntry.Of(one, text)
            : throw new FormatException($"{name} is '{text}', which is no number.");
    }
}
