using System.Text.Json;

namespace Beyla;

/// <summary>Reads a line of type <c>counters</c>.</summary>
internal static class CountersParser
{
    private const int MostPlaces = 256;

    private static readonly byte[][] Fields = FieldReader.Table("type", "time", "places");

    private static readonly byte[][] PlaceFields =
        FieldReader.Table("place", "unit", "produced", "emitted", "aggregated", "filtered", "lost", "held");

    /// <summary>
    /// The reader stands on the start of the object and is left on its end. The field that is missing or wrong is
    /// named when the answer is null.
    /// </summary>
    internal static AgentCounters? Parse(ref Utf8JsonReader reader, ValueCache cache, out string? wrong)
    {
        var time = default(DateTimeOffset);
        List<PlaceCount>? places = null;
        var expected = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldReader.Find(ref reader, Fields, ref expected);
            _ = reader.Read();
            var good = true;
            switch (field)
            {
                case 1: good = FieldReader.Time(ref reader, out time); break;
                case 2: good = TryPlaces(ref reader, cache, places = []); break;
                default: reader.Skip(); break;
            }

            if (!good)
            {
                wrong = System.Text.Encoding.UTF8.GetString(Fields[field]);
                return null;
            }
        }

        wrong = places is null ? "places" : null;
        return wrong is not null ? null : new AgentCounters { Time = time, Places = places! };
    }

    private static bool TryPlaces(ref Utf8JsonReader reader, ValueCache cache, List<PlaceCount> places)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            if (places.Count == MostPlaces || !TryPlace(ref reader, cache, out var place))
            {
                return false;
            }

            places.Add(place);
        }

        return reader.TokenType == JsonTokenType.EndArray;
    }

    private static bool TryPlace(ref Utf8JsonReader reader, ValueCache cache, out PlaceCount place)
    {
        string name = "", unit = "";
        Span<long> counts = stackalloc long[6];
        var expected = 0;
        var good = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldReader.Find(ref reader, PlaceFields, ref expected);
            _ = reader.Read();
            switch (field)
            {
                case -1: reader.Skip(); break;
                case 0: good &= FieldReader.Text(ref reader, cache, out name); break;
                case 1: good &= FieldReader.Text(ref reader, cache, out unit); break;
                default: good &= FieldReader.Integer(ref reader, long.MinValue, long.MaxValue, out counts[field - 2]); break;
            }

            if (!good)
            {
                break;
            }
        }

        place = new PlaceCount
        {
            Place = name, Unit = unit, Produced = counts[0], Emitted = counts[1], Aggregated = counts[2], Filtered = counts[3],
            Lost = counts[4], Held = counts[5],
        };
        return good;
    }
}
