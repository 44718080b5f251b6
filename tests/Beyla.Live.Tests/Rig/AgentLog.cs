using System.Globalization;

namespace Beyla.Live.Tests.Rig;

/// <summary>What tests read on the agent's standard error.</summary>
internal static class AgentLog
{
    /// <summary>The part of a log line that says that every program is attached.</summary>
    public const string Ready = "msg=\"Beyla is tracing\"";

    /// <summary>
    /// The rows of the table of counters that was printed last, by place and unit, and the first row of a place by the place alone. The
    /// heading names the columns. Rows of one place for each protocol (exchanges.http) are there, and added up under the place (exchanges).
    /// </summary>
    public static IReadOnlyDictionary<string, PlaceCount> LastCounters(IEnumerable<string> lines)
    {
        Dictionary<string, PlaceCount> rows = new(StringComparer.Ordinal);
        string[]? columns = null;
        foreach (string line in lines)
        {
            string[] cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (cells is ["place", "unit", ..])
            {
                columns = cells;
                rows.Clear();
            }
            else if (columns is not null && cells.Length >= columns.Length
                && long.TryParse(cells[2], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                Add(rows, Row(columns, cells));
                // Those of all protocols are one place for most tests.
                if (cells[0].IndexOf('.', StringComparison.Ordinal) is > 0 and int dot && cells[0][..dot] is "exchanges" or "requests")
                {
                    Add(rows, Row(columns, [cells[0][..dot], .. cells[1..]]));
                }
            }
        }

        return rows;
    }

    /// <summary>For messages.</summary>
    public static string Describe(PlaceCount count) => string.Create(
        CultureInfo.InvariantCulture,
        $"{count.Place} ({count.Unit}): produced {count.Produced}, emitted {count.Emitted}, aggregated {count.Aggregated}, "
            + $"filtered {count.Filtered}, lost {count.Lost}, held {count.Held}");

    private static void Add(Dictionary<string, PlaceCount> rows, PlaceCount row)
    {
        string name = $"{row.Place} {row.Unit}";
        row = rows.TryGetValue(name, out PlaceCount? before) ? Sum(before, row) : row;
        rows[name] = row;
        if (!rows.TryGetValue(row.Place, out PlaceCount? first) || first.Unit == row.Unit)
        {
            rows[row.Place] = row;
        }
    }

    private static PlaceCount Sum(PlaceCount one, PlaceCount other) => new()
    {
        Place = one.Place, Unit = one.Unit, Produced = one.Produced + other.Produced, Emitted = one.Emitted + other.Emitted,
        Aggregated = one.Aggregated + other.Aggregated, Filtered = one.Filtered + other.Filtered, Lost = one.Lost + other.Lost,
        Held = one.Held + other.Held,
    };

    private static PlaceCount Row(string[] columns, string[] cells)
    {
        return new PlaceCount
        {
            Place = cells[0], Unit = cells[1], Produced = Number("produced"), Emitted = Number("emitted"),
            Aggregated = Number("aggregated"), Filtered = Number("filtered"), Lost = Number("lost"), Held = Number("held"),
        };

        long Number(string name) => Array.IndexOf(columns, name) is >= 0 and int i ? long.Parse(cells[i], CultureInfo.InvariantCulture) : 0;
    }
}
