using System.Globalization;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Completion;

/// <summary>Completes durations: a number with each unit, or usual ones.</summary>
public sealed class DurationCompleter : Completer
{
    private static readonly string[] Usual = ["500ms", "1s", "5s", "10s", "30s", "1m", "5m", "15m", "1h"];

    private static readonly (string Suffix, string Name)[] Units =
        [("s", "seconds"), ("ms", "milliseconds"), ("m", "minutes"), ("h", "hours"), ("d", "days")];

    /// <inheritdoc/>
    protected override IEnumerable<Proposal> Find(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        var number = word.TrimEnd([.. "smhd"]);
        if (DurationText.Seconds(number) is not > 0)
        {
            return Usual.Select(text => new Proposal(text, text, Meaning(text)));
        }

        return Units.Select(unit => new Proposal(number + unit.Suffix, number + unit.Suffix, $"{number} {unit.Name}"));
    }

    private static string Meaning(string text) => string.Create(CultureInfo.InvariantCulture, $"{DurationText.Seconds(text)} seconds");
}
