using Beyla.Agent.Logging;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Reads one YAML document into <see cref="ConfigurationNode"/>s. Depth and number of nodes are bounded, also through aliases.
/// </summary>
internal sealed class YamlReader
{
    private const int MaximumDepth = 32;
    private const int MaximumNodes = 50_000;

    private readonly Dictionary<AnchorName, ConfigurationNode> anchors = [];
    private readonly string origin;
    private readonly Parser parser;
    private int nodes;

    private YamlReader(string text, string origin)
    {
        this.origin = origin;
        parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads a document; null when it holds nothing.</summary>
    /// <param name="text">The document.</param>
    /// <param name="origin">The name of the file, for errors.</param>
    /// <exception cref="ConfigurationException">It is not one valid document within the limits; says <c>file:line:column</c>.</exception>
    public static ConfigurationNode? Read(string text, string origin)
    {
        // A mark of the byte order is no part of the document.
        var reader = new YamlReader(text.TrimStart('\ufeff'), origin);
        try
        {
            return reader.ReadDocument();
        }
        catch (YamlException failure)
        {
            throw Problem(origin, failure.Start, "not valid YAML: " + LogText.Escape(failure.InnerException?.Message ?? failure.Message));
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // The YAML library answers some malformed input with these instead of its own exception.
            throw Problem(origin, reader.parser.Current?.Start ?? Mark.Empty, "not valid YAML: " + LogText.Escape(failure.Message));
        }
    }

    private ConfigurationNode? ReadDocument()
    {
        Expect<StreamStart>();
        if (!parser.MoveNext() || parser.Current is StreamEnd)
        {
            return null;
        }

        parser.MoveNext();
        var node = ReadNode(0);
        Expect<DocumentEnd>();
        if (parser.MoveNext() && parser.Current is DocumentStart second)
        {
            throw Problem(origin, second.Start, "a second document begins here, one is allowed");
        }

        return node.IsNull ? null : node;
    }

    /// <summary>Reads the node of the current event and moves past it, except at the end of the document.</summary>
    private ConfigurationNode ReadNode(int depth)
    {
        var start = parser.Current!;
        if (depth > MaximumDepth)
        {
            throw Problem(origin, start.Start, $"nested more than {MaximumDepth} deep");
        }

        Count(start.Start, 1);
        ConfigurationNode node;
        switch (start)
        {
            case AnchorAlias alias:
                if (!anchors.TryGetValue(alias.Value, out node!))
                {
                    throw Problem(origin, start.Start, $"the alias *{LogText.Escape(alias.Value.Value)} has no anchor before it");
                }

                Count(start.Start, node.Size);
                parser.MoveNext();
                return node;
            case Scalar scalar:
                var isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is ("" or "~" or "null" or "Null" or "NULL");
                node = new ConfigurationNode
                {
                    Line = Line(start), Column = Column(start), Text = scalar.Value,
                    Kind = isNull ? ConfigurationNodeKind.Null : ConfigurationNodeKind.Text,
                };
                parser.MoveNext();
                break;
            case SequenceStart:
                node = ReadSequence(start, depth);
                break;
            case MappingStart:
                node = ReadMapping(start, depth);
                break;
            default:
                throw Problem(origin, start.Start, "a value is expected here");
        }

        if (start is NodeEvent { Anchor.IsEmpty: false } anchored)
        {
            anchors[anchored.Anchor] = node;
        }

        return node;
    }

    private ConfigurationNode ReadSequence(ParsingEvent start, int depth)
    {
        var items = new List<ConfigurationNode>();
        var size = 1;
        parser.MoveNext();
        while (parser.Current is not SequenceEnd)
        {
            items.Add(ReadNode(depth + 1));
            size += items[^1].Size;
        }

        parser.MoveNext();
        return new ConfigurationNode
        {
            Line = Line(start), Column = Column(start), Kind = ConfigurationNodeKind.List, Items = items, Size = size,
        };
    }

    private ConfigurationNode ReadMapping(ParsingEvent start, int depth)
    {
        var entries = new List<(ConfigurationNode, ConfigurationNode)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var size = 1;
        parser.MoveNext();
        while (parser.Current is not MappingEnd)
        {
            var mark = parser.Current!.Start;
            var key = ReadNode(depth + 1);
            if (key.Text is null)
            {
                throw Problem(origin, mark, "a key must be a plain name");
            }

            if (key.Text == "<<")
            {
                throw Problem(origin, mark, "merge keys (<<) are not supported");
            }

            if (!names.Add(key.Text))
            {
                throw Problem(origin, mark, $"the key {LogText.Quote(key.Text)} occurs twice");
            }

            var value = ReadNode(depth + 1);
            entries.Add((key, value));
            size += 1 + value.Size;
        }

        parser.MoveNext();
        return new ConfigurationNode
        {
            Line = Line(start), Column = Column(start), Kind = ConfigurationNodeKind.Mapping, Entries = entries, Size = size,
        };
    }

    private void Count(Mark mark, int more)
    {
        nodes += more;
        if (nodes > MaximumNodes)
        {
            throw Problem(origin, mark, $"more than {MaximumNodes} values, aliases included");
        }
    }

    private void Expect<T>()
        where T : ParsingEvent
    {
        // The first call is for the start of the stream, which is not read yet.
        if (parser.Current is null)
        {
            parser.MoveNext();
        }

        if (parser.Current is not T)
        {
            throw Problem(origin, parser.Current?.Start ?? Mark.Empty, "the document does not end where it should");
        }
    }

    private static int Line(ParsingEvent at) => (int)Math.Min(at.Start.Line, int.MaxValue);

    private static int Column(ParsingEvent at) => (int)Math.Min(at.Start.Column, int.MaxValue);

    private static ConfigurationException Problem(string origin, Mark mark, string text) =>
        new($"{origin}:{mark.Line}:{mark.Column}: {text}");
}
