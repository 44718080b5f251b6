using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Beyla.Agent.Tests.Documents;

/// <summary>Every relative link of the pages leads to a file that exists, and every anchor to a heading of that page.</summary>
public sealed partial class LinkTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../.."));

    /// <summary>The pages, by their path below the root of the repository.</summary>
    public static TheoryData<string> Pages =>
        [.. new[] { "README.md", "CONTRIBUTING.md", "SECURITY.md" }.Concat(
            Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Order(StringComparer.Ordinal)
                .Select(static path => Path.GetRelativePath(Root, path)))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_relative_link_and_anchor_exists(string page)
    {
        var path = Path.Combine(Root, page);
        Assert.Empty(Links(File.ReadAllText(path)).Select(link => Fault(path, link)).OfType<string>());
    }

    [Fact]
    public void The_index_names_every_page()
    {
        var named = Links(File.ReadAllText(Path.Combine(Root, "docs/README.md"))).ToHashSet(StringComparer.Ordinal);
        var pages = Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Select(static path => Path.GetFileName(path));
        Assert.All(pages.Where(static name => name != "README.md"), name => Assert.Contains(name, named));
    }

    /// <summary>
    /// Headings and the anchors that GitHub makes of them: lower case, no punctuation, a hyphen for each blank, a number for a repeated
    /// one.
    /// </summary>
    [Theory]
    [InlineData("## The file", "the-file")]
    [InlineData("### Looking at a process takes nobody's time", "looking-at-a-process-takes-nobodys-time")]
    [InlineData("## `counters`: what each stage did", "counters-what-each-stage-did")]
    [InlineData("## A & B", "a--b")]
    [InlineData("# C#\n## Twice\n## Twice", "c twice twice-1")]
    [InlineData("```sh\n# a comment\n```\n## After", "after")]
    public void Anchors_are_those_of_the_forge(string text, string expected) => Assert.Equal(expected, string.Join(' ', Anchors(text)));

    [Theory]
    [InlineData("[a](b.md) ![c](d.svg) [e](f.md#g \"title\")", "b.md d.svg f.md#g")]
    [InlineData("[a](https://example.org) `[b](c)`\n```sh\n[d](e)\n```\n    [f](g)\n[h](#i)", "#i")]
    [InlineData("[`code`](b.md)", "b.md")]
    public void Links_are_found_outside_code(string text, string expected) => Assert.Equal(expected, string.Join(' ', Links(text)));

    private static string? Fault(string page, string link)
    {
        var parts = link.Split('#', 2);
        var target = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        if (!Path.Exists(target))
        {
            return $"{link}: there is no {Path.GetRelativePath(Root, target)}";
        }

        return parts.Length == 2 && !Anchors(File.ReadAllText(target)).Contains(parts[1], StringComparer.Ordinal)
            ? $"{link}: {Path.GetRelativePath(Root, target)} has no such heading" : null;
    }

    private static List<string> Links(string text) =>
        [.. Link().Matches(CodeSpan().Replace(Prose(text), "code")).Select(static match => match.Groups[1].Value)
            .Where(static link => !link.Contains(':', StringComparison.Ordinal))];

    private static List<string> Anchors(string text)
    {
        var anchors = new List<string>();
        var times = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var match in Heading().Matches(Prose(text)).Cast<Match>())
        {
            var anchor = Punctuation().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-');
            var seen = times.GetValueOrDefault(anchor);
            times[anchor] = seen + 1;
            anchors.Add(seen == 0 ? anchor : $"{anchor}-{seen}");
        }

        return anchors;
    }

    /// <summary>The text without fenced and indented code.</summary>
    private static string Prose(string text)
    {
        var fenced = false;
        var lines = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
            }
            else if (!fenced && !line.StartsWith("    ", StringComparison.Ordinal))
            {
                lines.Add(line);
            }
        }

        return string.Join('\n', lines);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`[^`\n]*`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"^#{1,6} +(.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}\s_-]")]
    private static partial Regex Punctuation();

    private static string Here([CallerFilePath] string path = "") => path;
}
