namespace Beyla.Agent.Configuration;

/// <summary>
/// OTEL_EXPORTER_OTLP_HEADERS: <c>name=value,name=value</c>, in the form of W3C Baggage without properties; values are percent-decoded
/// (OpenTelemetry Protocol Exporter, "Specifying headers via environment variables").
/// </summary>
internal static class OtlpHeaders
{
    /// <summary>Reads a list of headers. What is wrong is said without any value, as values are secrets.</summary>
    internal static bool TryParse(string text, List<KeyValuePair<string, string>> headers, out string error)
    {
        var number = 0;
        foreach (var entry in text.Split(','))
        {
            number++;
            if (string.IsNullOrWhiteSpace(entry))
            {
                continue;
            }

            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : entry[..equals].Trim();
            if (name.Length == 0 || !name.All(IsToken))
            {
                error = $"entry {number} is not name=value, with a name of letters, digits and -";
                return false;
            }

            var value = PercentEncoding.DecodeValid(entry[(equals + 1)..].Trim());
            if (value.Any(static letter => letter is < ' ' or '\x7f'))
            {
                error = $"the value of {name} has a character that no header may have";
                return false;
            }

            headers.Add(new(name, value));
        }

        error = "";
        return true;
    }

    /// <summary>tchar of RFC 9110 section 5.6.2.</summary>
    private static bool IsToken(char letter) =>
        char.IsAsciiLetterOrDigit(letter) || "!#$%&'*+-.^_`|~".Contains(letter, StringComparison.Ordinal);
}
