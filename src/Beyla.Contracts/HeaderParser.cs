using System.Text.Json;

namespace Beyla;

/// <summary>Reads a line of type <c>stream</c>.</summary>
internal static class HeaderParser
{
    private static readonly byte[][] Fields = FieldReader.Table("type", "version", "agent", "pid", "start");

    /// <summary>
    /// The reader stands on the start of the object and is left on its end. The field that is missing or wrong is
    /// named when the answer is null.
    /// </summary>
    internal static StreamHeader? Parse(ref Utf8JsonReader reader, ValueCache cache, out string? wrong)
    {
        int version = 0, pid = 0, expected = 0;
        var agent = "";
        var start = default(DateTimeOffset);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldReader.Find(ref reader, Fields, ref expected);
            _ = reader.Read();
            var good = true;
            switch (field)
            {
                case 1: good = FieldReader.Number(ref reader, out version); break;
                case 2: good = FieldReader.Text(ref reader, cache, out agent); break;
                case 3: good = FieldReader.Number(ref reader, out pid); break;
                case 4: good = FieldReader.Time(ref reader, out start); break;
                default: reader.Skip(); break;
            }

            if (!good)
            {
                wrong = System.Text.Encoding.UTF8.GetString(Fields[field]);
                return null;
            }
        }

        wrong = version == 0 ? "version" : null;
        return wrong is not null ? null : new StreamHeader { Version = version, Agent = agent, ProcessId = pid, Start = start };
    }
}
