using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Beyla.ModuleBuild;

/// <summary>Reads the comments that the compiler wrote beside an assembly.</summary>
internal sealed partial class CommentReader
{
    private readonly Dictionary<string, XElement> members;

    /// <summary>Reads the XML file at <paramref name="path"/> that the compiler wrote.</summary>
    public CommentReader(string path) =>
        members = XDocument.Load(path).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, StringComparer.Ordinal);

    /// <summary>The paragraphs of a part of a comment; none when it is not there.</summary>
    public IReadOnlyList<string> Paragraphs(string member, string part) =>
        members.TryGetValue(member, out var comment) && comment.Element(part) is { } element ? Paragraphs(element) : [];

    /// <summary>The examples of a comment: the code, then the text around it.</summary>
    public IReadOnlyList<Example> Examples(string member)
    {
        if (!members.TryGetValue(member, out var comment))
        {
            return [];
        }

        return [.. comment.Elements("example").Select((e, i) => new Example(
            $"Example {i + 1}: {Plain(e.Element("title"))}".TrimEnd(' ', ':'),
            Unindent(e.Element("code")?.Value ?? ""),
            Paragraphs(new XElement("text", e.Nodes().Where(n => n is not XElement { Name.LocalName: "code" or "title" })))))];
    }

    private static List<string> Paragraphs(XElement element)
    {
        var paragraphs = element.Elements("para").Select(Plain).ToList();
        if (paragraphs.Count == 0)
        {
            paragraphs.Add(Plain(element));
        }

        return [.. paragraphs.Where(p => p.Length > 0)];
    }

    private static string Plain(XElement? element) =>
        element is null ? "" : Spaces().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "paramref" } reference when reference.IsEmpty || reference.Value.Length == 0 =>
            (reference.Attribute("cref") ?? reference.Attribute("langword") ?? reference.Attribute("name"))!.Value.Split('.', ':')[^1],
        XElement element => string.Concat(element.Nodes().Select(Text)),
        _ => "",
    };

    private static string Unindent(string code)
    {
        var lines = code.Split('\n').Select(l => l.TrimEnd()).ToList();
        while (lines.Count > 0 && lines[0].Length == 0)
        {
            lines.RemoveAt(0);
        }

        while (lines.Count > 0 && lines[^1].Length == 0)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        var indent = lines.Where(l => l.Length > 0).Select(l => l.Length - l.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Join('\n', lines.Select(l => l.Length > indent ? l[indent..] : l.TrimStart()));
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
