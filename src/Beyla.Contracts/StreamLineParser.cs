using System.Text;
using System.Text.Json;

namespace Beyla;

/// <summary>
/// Turns one line of the agent's stream (docs/stream.md) into an object. Fields that it does not know are skipped, so that it reads
/// what a newer agent of the same version writes; what an agent of an earlier version wrote it reads as well. Never throws for what a
/// line holds. Not thread-safe: it reuses strings from line to line.
/// </summary>
public sealed class StreamLineParser
{
    private readonly ValueCache cache = new();
    private readonly List<AttributeEntry> attributes = [];

    /// <summary>Parses one line, without its line feed.</summary>
    /// <param name="line">UTF-8 text; not kept.</param>
    public StreamLine Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return StreamLine.Bad(StreamErrorKind.BadJson, "the line is not a JSON object", line);
            }

            var type = TypeOf(reader);
            if (type.IsEmpty)
            {
                return StreamLine.Bad(StreamErrorKind.BadField, "the field type is missing or is not a string", line);
            }

            object? value;
            string? wrong;
            if (type.SequenceEqual("span"u8))
            {
                value = SpanParser.Parse(ref reader, cache, attributes, out wrong);
            }
            else if (type.SequenceEqual("flow"u8))
            {
                value = FlowParser.Parse(ref reader, cache, out wrong);
            }
            else if (type.SequenceEqual("counters"u8))
            {
                value = CountersParser.Parse(ref reader, cache, out wrong);
            }
            else if (type.SequenceEqual("stream"u8))
            {
                value = HeaderParser.Parse(ref reader, cache, out wrong);
            }
            else
            {
                return StreamLine.Bad(StreamErrorKind.UnknownType, $"lines of type {Printable(type)} are not known", line);
            }

            if (value is null)
            {
                return StreamLine.Bad(StreamErrorKind.BadField, $"the field {wrong} is missing or has a wrong value", line);
            }

            _ = reader.Read(); // throws when anything follows the object
            return value is StreamHeader header && header.Version is < 1 or > StreamNames.Version
                ? StreamLine.Bad(
                    StreamErrorKind.UnsupportedVersion,
                    FormattableString.Invariant(
                        $"the agent writes version {header.Version} of the stream, this reader knows 1 to {StreamNames.Version}: ")
                        + "use an agent and a module of the same release",
                    line)
                : StreamLine.Of(value);
        }
        catch (JsonException e)
        {
            return StreamLine.Bad(
                StreamErrorKind.BadJson, FormattableString.Invariant($"the line is not valid JSON at byte {e.BytePositionInLine}"), line);
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader says so where a string holds invalid UTF-8 or half of a surrogate pair.
            return StreamLine.Bad(StreamErrorKind.BadJson, "a string of the line is not valid UTF-8", line);
        }
    }

    /// <summary>The value of the field <c>type</c>, wherever it stands; the reader is a copy, so the caller's one does not move.</summary>
    private static ReadOnlySpan<byte> TypeOf(Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("type"u8);
            _ = reader.Read();
            if (found)
            {
                return reader.TokenType == JsonTokenType.String ? reader.ValueSpan : default;
            }

            reader.Skip();
        }

        return default;
    }

    private static string Printable(ReadOnlySpan<byte> text)
    {
        var result = new StringBuilder();
        foreach (var b in text[..Math.Min(text.Length, 40)])
        {
            _ = result.Append(b is > 0x20 and < 0x7f ? (char)b : '.');
        }

        return result.ToString();
    }
}
