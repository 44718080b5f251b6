namespace Beyla.Agent.Configuration;

/// <summary>Settings that are mappings with names of the user's own.</summary>
internal static class MappingSetting
{
    /// <summary>The entries of a setting.</summary>
    /// <param name="setting">Whose value is a mapping of YAML.</param>
    /// <param name="expected">What is expected, for the message.</param>
    /// <param name="maximum">Most entries.</param>
    /// <param name="problems">Gets what is wrong.</param>
    /// <returns>None where it is not set, or wrong.</returns>
    public static IReadOnlyList<(ConfigurationNode Key, ConfigurationNode Value)> Entries(
        Setting setting, string expected, int maximum, MessageList problems)
    {
        if (setting.Node is not { IsNull: false } node)
        {
            if (!string.IsNullOrWhiteSpace(setting.Text))
            {
                problems.Add(SettingLayers.Describe(setting, expected));
            }

            return [];
        }

        if (node.Kind != ConfigurationNodeKind.Mapping || node.Entries.Count > maximum)
        {
            problems.Add(SettingLayers.Describe(setting, $"{expected}, of at most {maximum}"));
            return [];
        }

        return node.Entries;
    }
}
