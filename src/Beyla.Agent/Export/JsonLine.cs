using Beyla.Agent.Linux;

namespace Beyla.Agent.Export;

/// <summary>
/// Writes one flat JSON object of the stream, by hand: names and enumerations need no escaping, captured values go
/// through <see cref="Escape"/>.
/// </summary>
internal ref struct JsonLine
{
    private readonly bool indent;
    private LineWriter line;

    /// <summary>
    /// An object that is written behind what <paramref name="line"/> holds; with <paramref name="indent"/> each field
    /// on a line of its own.
    /// </summary>
    internal JsonLine(bool indent, LineWriter line)
    {
        this.indent = indent;
        this.line = line;
    }

    /// <summary>The writer, behind what was written.</summary>
    internal readonly LineWriter Line => line;

    /// <summary>The object's start and its type.</summary>
    internal void Begin(ReadOnlySpan<byte> type)
    {
        line.Write(indent ? "{\n  \"type\": "u8 : "{\"type\":"u8);
        Plain(type);
    }

    /// <summary>The object's end and the line feed.</summary>
    internal void End() => line.Write(indent ? "\n}\n"u8 : "}\n"u8);

    /// <summary>The comma, the name of a field, which needs no escaping, and the colon; its value has to follow.</summary>
    internal void Name(ReadOnlySpan<byte> name)
    {
        line.Write(indent ? ",\n  \""u8 : ",\""u8);
        line.Write(name);
        line.Write(indent ? "\": "u8 : "\":"u8);
    }

    /// <summary>A string that is known to need no escaping.</summary>
    internal void Plain(ReadOnlySpan<byte> value)
    {
        line.Write("\""u8);
        line.Write(value);
        line.Write("\""u8);
    }

    /// <summary>A field whose value is a number.</summary>
    internal void Number(ReadOnlySpan<byte> name, long value)
    {
        Name(name);
        line.WriteNumber(value);
    }

    /// <summary>A field whose value was captured: escaped, and cut after <paramref name="limit"/> bytes.</summary>
    internal void Captured(ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value, int limit)
    {
        Name(name);
        line.Write("\""u8);
        _ = Escape.Json(value, limit, ref line);
        line.Write("\""u8);
    }

    /// <summary>
    /// A field whose value came from the host, such as a name of a process: escaped, and cut after <paramref
    /// name="limit"/> bytes.
    /// </summary>
    internal void Captured(ReadOnlySpan<byte> name, string value, int limit)
    {
        Name(name);
        line.Write("\""u8);
        _ = Escape.Json(value, limit, ref line);
        line.Write("\""u8);
    }

    /// <summary>
    /// A time as a value: a string in ISO 8601 with microseconds, UTC. <paramref name="unixMicroseconds"/> counts
    /// from 1970.
    /// </summary>
    internal void Time(TimeText time, long unixMicroseconds)
    {
        line.Write("\""u8);
        time.Write(unixMicroseconds, ref line);
        line.Write("Z\""u8);
    }

    /// <summary>An address as a value: a string.</summary>
    internal void Address(in Address address)
    {
        line.Write("\""u8);
        line.Write(in address);
        line.Write("\""u8);
    }

    /// <summary>Bytes as they are: the caller sees to it that the object stays JSON.</summary>
    internal void Raw(ReadOnlySpan<byte> bytes) => line.Write(bytes);
}
