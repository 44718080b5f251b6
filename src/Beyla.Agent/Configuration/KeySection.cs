namespace Beyla.Agent.Configuration;

/// <summary>Settings that belong together, as the documentation shows them.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Text">The settings, each in two lines; see <see cref="KeyTable"/>.</param>
internal sealed record KeySection(string Title, string Text)
{
    /// <summary>Reads the settings, in the order of their paths.</summary>
    public IEnumerable<KeyDefinition> Read()
    {
        var lines = Text.Split('\n');
        for (var i = 0; i < lines.Length; i += 2)
        {
            yield return KeyDefinition.Parse(lines[i], lines[i + 1].Trim());
        }
    }
}
