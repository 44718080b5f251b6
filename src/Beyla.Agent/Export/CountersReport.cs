using System.Globalization;
using System.Text;
using Beyla.Agent.Counting;

namespace Beyla.Agent.Export;

/// <summary>
/// What the agent saw, place by place, for the end of a run and for SIGUSR1. Each place must account for everything that reached it:
/// a sum that does not agree is marked, as it means that something was lost without being counted.
/// </summary>
public sealed class CountersReport
{
    private readonly List<PlaceCounters> places = [];

    private CountersReport(IEnumerable<ICounted> counted)
    {
        foreach (var place in counted)
        {
            places.AddRange(place.Count());
        }
    }

    /// <summary>Takes the counters now.</summary>
    /// <param name="counted">The stages, in pipeline order.</param>
    public static CountersReport Take(IEnumerable<ICounted> counted) => new(counted);

    /// <summary>The rows.</summary>
    public IReadOnlyList<PlaceCounters> Places => places;

    /// <summary>Whether every sum agrees.</summary>
    public bool Balanced => places.TrueForAll(place => place.Balanced);

    /// <summary>
    /// A table for standard error. Columns that are zero everywhere are left out, except produced, emitted and lost.
    /// </summary>
    public string ToText()
    {
        string[] names = ["produced", "emitted", "aggregated", "filtered", "lost", "held"];
        var table = new List<string[]> { (string[])["place", "unit", .. names] };
        foreach (var place in places)
        {
            table.Add([place.Place, place.Unit, .. Numbers(place).Select(n => n.ToString(CultureInfo.InvariantCulture))]);
        }

        var shown = Enumerable.Range(0, 8).Where(i => i is < 4 or 6 || table.Skip(1).Any(row => row[i] != "0")).ToArray();
        var widths = shown.Select(i => table.Max(row => row[i].Length)).ToArray();

        var text = new StringBuilder();
        for (var r = 0; r < table.Count; r++)
        {
            for (var c = 0; c < shown.Length; c++)
            {
                var cell = table[r][shown[c]];
                _ = text.Append(c == 0 ? "" : "  ").Append(shown[c] < 2 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            }

            if (r > 0 && !places[r - 1].Balanced)
            {
                var sum = Numbers(places[r - 1]).Skip(1).Sum();
                _ = text.Append(
                    CultureInfo.InvariantCulture, $"  <-- DOES NOT ADD UP: produced {places[r - 1].Produced}, accounted for {sum}");
            }

            _ = text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The line of type <c>counters</c> of docs/stream.md, with its line feed.</summary>
    /// <param name="unixMicroseconds">Time of counting.</param>
    public byte[] ToJsonLine(long unixMicroseconds)
    {
        var line = new LineWriter(new byte[256 + (places.Count * 512)]);
        line.Write("{\"type\":\"counters\",\"time\":\""u8);
        TimeText.Utc().Write(unixMicroseconds, ref line);
        line.Write("Z\",\"places\":["u8);
        for (var i = 0; i < places.Count; i++)
        {
            var place = places[i];
            line.Write(i == 0 ? "{\"place\":\""u8 : ",{\"place\":\""u8);
            _ = Escape.Json(place.Place, 64, ref line);
            line.Write("\",\"unit\":\""u8);
            _ = Escape.Json(place.Unit, 64, ref line);
            line.Write("\",\"produced\":"u8);
            line.WriteNumber(place.Produced);
            line.Write(",\"emitted\":"u8);
            line.WriteNumber(place.Emitted);
            line.Write(",\"aggregated\":"u8);
            line.WriteNumber(place.Aggregated);
            line.Write(",\"filtered\":"u8);
            line.WriteNumber(place.Filtered);
            line.Write(",\"lost\":"u8);
            line.WriteNumber(place.Lost);
            line.Write(",\"held\":"u8);
            line.WriteNumber(place.Held);
            line.Write("}"u8);
        }

        line.Write("]}\n"u8);
        return line.Written.ToArray();
    }

    private static long[] Numbers(PlaceCounters place) =>
        [place.Produced, place.Emitted, place.Aggregated, place.Filtered, place.Lost, place.Held];
}
