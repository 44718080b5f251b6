using Beyla.Agent.Counting;

namespace Beyla.Agent.Export;

/// <summary>
/// What became of the records of an <see cref="OutputQueue"/>, by kind: produced = emitted + lost + held at any time. For one thread at a
/// time.
/// </summary>
internal sealed class OutputCounters
{
    private const int Kinds = 4;

    private static readonly (OutputRecord Kind, string Unit)[] Counted =
        [(OutputRecord.Span, "spans"), (OutputRecord.Flow, "flows"), (OutputRecord.Statistic, "records")];

    private readonly long[] produced = new long[Kinds], emitted = new long[Kinds], lost = new long[Kinds], held = new long[Kinds];

    /// <summary>The records of a block that are not counted yet wait in it.</summary>
    internal void Produce(OutputBlock block)
    {
        Span<long> counts = stackalloc long[Kinds];
        block.TakeNew(counts);
        for (var i = 0; i < Kinds; i++)
        {
            produced[i] += counts[i];
            held[i] += counts[i];
        }
    }

    /// <summary>A record came for which there is no room.</summary>
    internal void Refuse(OutputRecord kind)
    {
        produced[(int)kind]++;
        lost[(int)kind]++;
    }

    /// <summary>The records of a block that end at or before a position are written.</summary>
    internal void Emit(OutputBlock block, int position) => Settle(block, position, emitted);

    /// <summary>Nothing more of a block will be written.</summary>
    internal void Lose(OutputBlock block) => Settle(block, int.MaxValue, lost);

    /// <summary>A row for each kind of which there was a record.</summary>
    internal IReadOnlyList<PlaceCounters> Count()
    {
        var rows = new List<PlaceCounters>();
        foreach (var (kind, unit) in Counted)
        {
            var i = (int)kind;
            if (produced[i] > 0)
            {
                rows.Add(new PlaceCounters("printer", unit, produced[i], Emitted: emitted[i], Lost: lost[i], Held: held[i]));
            }
        }

        return rows;
    }

    private void Settle(OutputBlock block, int position, long[] into)
    {
        Span<long> counts = stackalloc long[Kinds];
        block.Settle(position, counts);
        for (var i = 0; i < Kinds; i++)
        {
            into[i] += counts[i];
            held[i] -= counts[i];
        }
    }
}
