using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>A value in a YAML file with its place: a text, a list or a mapping.</summary>
public sealed class ConfigurationNode
{
    /// <summary>Line in the file, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Column in the line, from 1.</summary>
    public required int Column { get; init; }

    /// <summary>The text of a scalar; null for lists and mappings.</summary>
    public string? Text { get; init; }

    /// <summary>The items of a list; empty for others.</summary>
    public IReadOnlyList<ConfigurationNode> Items { get; init; } = [];

    /// <summary>The entries of a mapping in their order; empty for others.</summary>
    public IReadOnlyList<(ConfigurationNode Key, ConfigurationNode Value)> Entries { get; init; } = [];

    /// <summary>Which kind of node it is; decides which of the other properties are filled.</summary>
    public required ConfigurationNodeKind Kind { get; init; }

    /// <summary>Whether it is nothing at all, which in YAML is no value, <c>~</c> or <c>null</c> without quotes.</summary>
    public bool IsNull => Kind == ConfigurationNodeKind.Null;

    /// <summary>How many nodes it consists of, itself included.</summary>
    internal int Size { get; init; } = 1;

    /// <summary>The value in YAML's one-line notation, for people; at most some hundred characters.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Append(text, this);
        return text.ToString();
    }

    private static void Append(StringBuilder text, ConfigurationNode node)
    {
        if (text.Length > 300)
        {
            return;
        }

        switch (node.Kind)
        {
            case ConfigurationNodeKind.List:
                text.Append('[');
                for (var i = 0; i < node.Items.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    Append(text, node.Items[i]);
                }

                text.Append(']');
                break;
            case ConfigurationNodeKind.Mapping:
                text.Append('{');
                for (var i = 0; i < node.Entries.Count; i++)
                {
                    text.Append(i == 0 ? "" : ", ").Append(node.Entries[i].Key.Text).Append(": ");
                    Append(text, node.Entries[i].Value);
                }

                text.Append('}');
                break;
            default:
                text.Append(node.Text);
                break;
        }
    }
}

/// <summary>The kinds of <see cref="ConfigurationNode"/>.</summary>
public enum ConfigurationNodeKind
{
    /// <summary>Nothing at all.</summary>
    Null,

    /// <summary>A scalar; not yet read as a number or anything else.</summary>
    Text,

    /// <summary>A sequence of nodes.</summary>
    List,

    /// <summary>Pairs of a key and a value.</summary>
    Mapping,
}
