using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>
/// OTEL_RESOURCE_ATTRIBUTES of the agent: <c>key=value,key=value</c> with percent-encoding (W3C Baggage without properties), all of it or
/// nothing (OpenTelemetry specification, Resource SDK).
/// </summary>
internal static class AgentResourceAttributes
{
    /// <summary>Entries, and characters of a key and of a value.</summary>
    private const int MaximumEntries = 64, MaximumKey = 128, MaximumValue = 4096;

    /// <summary>Reads all entries, the last one of each key.</summary>
    /// <param name="text">The value of the variable; empty is none.</param>
    /// <param name="attributes">Gets them.</param>
    /// <param name="error">What is wrong, as the end of a sentence.</param>
    internal static bool TryParse(string text, List<KeyValuePair<string, string>> attributes, out string error)
    {
        error = "";
        if (string.IsNullOrWhiteSpace(text))
        {
            return true;
        }

        foreach (var entry in text.Split(','))
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !TryDecode(entry[..equals].Trim(), out var key) || key.Length is 0 or > MaximumKey
                || !TryDecode(entry[(equals + 1)..].Trim(), out var value) || value.Length > MaximumValue)
            {
                error = $"\"{entry.Trim()}\" is not key=value, with commas, equals signs and what is not ASCII percent-encoded";
                return false;
            }

            _ = attributes.RemoveAll(known => known.Key == key);
            attributes.Add(new(key, value));
            if (attributes.Count > MaximumEntries)
            {
                error = $"it has more than {MaximumEntries} entries";
                return false;
            }
        }

        return true;
    }

    /// <summary>Baggage-octets (W3C Baggage), and blanks within.</summary>
    private static bool TryDecode(string text, out string decoded)
    {
        decoded = "";
        return text.All(static letter => letter is >= ' ' and <= '~' and not '=')
            && PercentEncoding.TryDecode(Encoding.ASCII.GetBytes(text), out decoded);
    }
}
