using System.Globalization;

namespace Beyla.PowerShell.Agent;

/// <summary>Says that no process is traced yet: the agent waits for one, which from outside looks as if nothing worked.</summary>
/// <param name="text">What was asked for.</param>
public sealed class SelectionSilence(string text) : ISilence
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private bool done;

    /// <inheritdoc/>
    public void OnLog(LogLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        done |= line.Message == AgentWords.Selected
            || (line.Message == AgentWords.Attached
                && int.TryParse(line["processes"], NumberStyles.None, CultureInfo.InvariantCulture, out var processes) && processes > 0);
    }

    /// <inheritdoc/>
    public void OnResult(object value) => done = true;

    /// <inheritdoc/>
    public string? Tell(TimeSpan attached, bool ending)
    {
        if (done || (attached < Patience && !ending))
        {
            return null;
        }

        done = true;
        return text;
    }
}
