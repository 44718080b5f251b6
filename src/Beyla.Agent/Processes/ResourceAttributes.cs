using Beyla.Agent.Configuration;

namespace Beyla.Agent.Processes;

/// <summary>
/// OTEL_RESOURCE_ATTRIBUTES: <c>key=value,key=value</c>, in the form of W3C Baggage without properties, with percent-encoding
/// (OpenTelemetry specification, Resource SDK, "Specifying resource information via an environment variable").
/// </summary>
internal static class ResourceAttributes
{
    /// <summary>Entries of one process that are kept, and characters of a key.</summary>
    internal const int MaximumOthers = 32, MaximumKey = 128;

    /// <summary>
    /// The value of a key, decoded; null when it is not there or not valid. The last one counts where a key is repeated,
    /// as a later attribute replaces an earlier one. An entry that is not valid is left out and spoils no other.
    /// </summary>
    internal static string? Find(ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> key)
    {
        string? found = null;
        foreach (var range in attributes.Split((byte)','))
        {
            var entry = attributes[range];
            var equals = entry.IndexOf((byte)'=');
            if (equals <= 0 || !Trim(entry[..equals]).SequenceEqual(key))
            {
                continue;
            }

            if (Decode(Trim(entry[(equals + 1)..])) is { Length: > 0 } value)
            {
                found = value;
            }
        }

        return found;
    }

    /// <summary>
    /// All entries but service.name and service.namespace, decoded, in their order, the last value of each key, no more than
    /// <see cref="MaximumOthers"/>; null where there are none. An entry that is not valid is left out and spoils no other.
    /// </summary>
    internal static IReadOnlyList<KeyValuePair<string, string>>? Others(ReadOnlySpan<byte> attributes)
    {
        List<KeyValuePair<string, string>>? others = null;
        foreach (var range in attributes.Split((byte)','))
        {
            var entry = attributes[range];
            var equals = entry.IndexOf((byte)'=');
            if (equals <= 0 || Decode(Trim(entry[..equals])) is not { Length: > 0 and <= MaximumKey } key
                || key is "service.name" or "service.namespace"
                || ServiceNames.Shorten(Decode(Trim(entry[(equals + 1)..]))) is not { } value)
            {
                continue;
            }

            others ??= [];
            var pair = new KeyValuePair<string, string>(key, value);
            var known = others.FindIndex(other => other.Key == key);
            if (known >= 0)
            {
                others[known] = pair;
            }
            else if (others.Count < MaximumOthers)
            {
                others.Add(pair);
            }
        }

        return others;
    }

    /// <summary>Undoes percent-encoding; null where it is not valid, or the text is too long.</summary>
    private static string? Decode(ReadOnlySpan<byte> text)
    {
        if (text.Length >= 2 && text[0] == '"' && text[^1] == '"')
        {
            text = text[1..^1];
        }

        return text.Length <= ServiceNames.MaximumVariable && PercentEncoding.TryDecode(text, out var decoded) ? decoded : null;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);
}
