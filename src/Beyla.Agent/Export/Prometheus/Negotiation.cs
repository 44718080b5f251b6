using System.Buffers.Text;
using System.Text;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>
/// What a client can read (RFC 9110 section 12.5). The agent is content with anything: a client that names nothing that it has gets the
/// text format, as Prometheus' own libraries do it.
/// </summary>
internal static class Negotiation
{
    /// <summary>The format for the Accept fields of a request. Of two that are as welcome, OpenMetrics: it says more.</summary>
    public static PageFormat Format(in RequestHead request)
    {
        var (open, text) = (0.0, 0.0);
        foreach (var field in request.Values("accept"u8))
        {
            foreach (var range in field.Split((byte)','))
            {
                var (type, weight, version) = Parse(field[range]);
                if (Ascii.EqualsIgnoreCase(type, "application/openmetrics-text"u8))
                {
                    open = version.IsEmpty || version.SequenceEqual("1.0.0"u8) ? Math.Max(open, weight) : open;
                }
                else if (Ascii.EqualsIgnoreCase(type, "text/plain"u8) || Ascii.EqualsIgnoreCase(type, "text/*"u8)
                    || type.SequenceEqual("*/*"u8))
                {
                    text = Math.Max(text, weight);
                }
            }
        }

        return open > 0 && open >= text ? PageFormat.OpenMetrics : PageFormat.Text;
    }

    /// <summary>Whether the answer may be compressed with gzip.</summary>
    public static bool TakesGzip(in RequestHead request)
    {
        var (named, any) = (-1.0, -1.0);
        foreach (var field in request.Values("accept-encoding"u8))
        {
            foreach (var range in field.Split((byte)','))
            {
                var (coding, weight, _) = Parse(field[range]);
                if (Ascii.EqualsIgnoreCase(coding, "gzip"u8) || Ascii.EqualsIgnoreCase(coding, "x-gzip"u8))
                {
                    named = Math.Max(named, weight);
                }
                else if (coding.SequenceEqual("*"u8))
                {
                    any = weight;
                }
            }
        }

        return (named >= 0 ? named : any) > 0;
    }

    private static Range Parse(ReadOnlySpan<byte> range)
    {
        var end = range.IndexOf((byte)';');
        var result = new Range { Name = (end < 0 ? range : range[..end]).Trim(" \t"u8), Weight = 1 };
        while (end >= 0)
        {
            range = range[(end + 1)..];
            end = range.IndexOf((byte)';');
            var parameter = (end < 0 ? range : range[..end]).Trim(" \t"u8);
            var sign = parameter.IndexOf((byte)'=');
            if (sign < 0)
            {
                continue;
            }

            var name = parameter[..sign].TrimEnd(" \t"u8);
            var value = parameter[(sign + 1)..].Trim(" \t\""u8);
            if (Ascii.EqualsIgnoreCase(name, "q"u8))
            {
                // A weight that cannot be read asks for nothing.
                result.Weight = Utf8Parser.TryParse(value, out double weight, out var used) && used == value.Length
                    && weight is >= 0 and <= 1 ? weight : 0;
            }
            else if (Ascii.EqualsIgnoreCase(name, "version"u8))
            {
                result.Version = value;
            }
        }

        return result;
    }

    private ref struct Range
    {
        public ReadOnlySpan<byte> Name;
        public double Weight;
        public ReadOnlySpan<byte> Version;

        public readonly void Deconstruct(out ReadOnlySpan<byte> name, out double weight, out ReadOnlySpan<byte> version)
        {
            name = Name;
            weight = Weight;
            version = Version;
        }
    }
}
