using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>Reads <c>attributes.select</c>: a mapping of names of metrics, each to <c>{include: […], exclude: […]}</c>.</summary>
/// <param name="origin">Where it is, for messages.</param>
/// <param name="problems">Gets what is wrong.</param>
internal sealed class AttributeSelectionReader(string origin, MessageList problems)
{
    private const int MaximumSections = 100, MaximumPatterns = 100;

    private const string Expected =
        "a mapping of metrics is expected, such as {http.server.request.duration: {exclude: [http.route]}}";

    /// <summary>Reads the setting.</summary>
    public AttributeSelection Read(Setting setting)
    {
        var sections = new List<AttributeSelection.Section>();
        foreach (var (key, value) in MappingSetting.Entries(setting, Expected, MaximumSections, problems))
        {
            var path = $"{setting.Key.Path}.{key.Text}";
            var pattern = Pattern(key, path);
            IReadOnlyList<Glob> include = [], exclude = [];
            foreach (var (field, list) in value.Entries)
            {
                switch (field.Text)
                {
                    case "include":
                        include = Patterns(list, path + ".include");
                        break;
                    case "exclude":
                        exclude = Patterns(list, path + ".exclude");
                        break;
                    default:
                        Problem(field, path, "only include and exclude are known");
                        break;
                }
            }

            if (value.Kind != ConfigurationNodeKind.Mapping && !value.IsNull)
            {
                Problem(value, path, "a mapping with include, exclude or both is expected");
            }
            else if (pattern is not null)
            {
                sections.Add(new(key.Text!, pattern, include, exclude));
            }
        }

        return sections.Count == 0 ? AttributeSelection.None : new AttributeSelection(sections);
    }

    private List<Glob> Patterns(ConfigurationNode list, string path)
    {
        var result = new List<Glob>();
        if (list.Kind != ConfigurationNodeKind.List || list.Items.Count > MaximumPatterns)
        {
            Problem(list, path, $"a list of at most {MaximumPatterns} names or globs is expected, such as [http.route, \"server.*\"]");
            return result;
        }

        foreach (var item in list.Items)
        {
            if (Pattern(item, path) is { } glob)
            {
                result.Add(glob);
            }
        }

        return result;
    }

    private Glob? Pattern(ConfigurationNode node, string path)
    {
        string? error = "a name or a glob is expected";
        if (node.Text is { } text && Glob.TryParse(AttributeSelection.Plain(text), out var glob, out error))
        {
            return glob;
        }

        Problem(node, path, error);
        return null;
    }

    private void Problem(ConfigurationNode at, string path, string error) =>
        problems.Add(SettingLayers.Describe(at, path, origin, error));
}
