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

    internal void Number(ReadOnlySpan<byte> name, long value)
    {
        Name(name);
        line.WriteNumber(value);
    }

    internal void Captured(ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value, int limit)
    {
        Name(name);
        line.Write("\""u8);
        _ = Escape.Json(value, limit, ref line);
        line.Write("\""u8);
    }

    internal void Captured(ReadOnlySpan<byte> name, string value, int limit)
    {
        Name(name);
        line.Write("\""u8);
        _ = Escape.Json(value, limit, ref line);
        line.Write("\""u8);
    }

    internal void Time(TimeText time, long unixMicroseconds)
    {
        line.Write("\""u8);
        time.Write(unixMicroseconds, ref line);
        line.Write("Z\""u8);
    }

    internal void Address(in Address address)
    {
        line.Write("\""u8);
        line.Write(in address);
        line.Write("\""u8);
    }

    internal void Hex(ulong value)
    {
        line.Write("\""u8);
        line.WriteHex(value);
        line.Write("\""u8);
    }

    internal void Raw(ReadOnlySpan<byte> bytes) => line.Write(bytes);
}
