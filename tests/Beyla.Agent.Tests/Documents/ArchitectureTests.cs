using System.Text.RegularExpressions;

namespace Beyla.Agent.Tests.Documents;

/// <summary>
/// docs/architecture.md is true: what its walks name is in the source that they link, and its list of folders is the order that
/// <see cref="FolderTests"/> holds the code to.
/// </summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Text = File.ReadAllText(Page.PathOf("architecture.md"));

    /// <summary>In a step a file is linked first and the names in it follow; a name belongs to the file linked last before it.</summary>
    [Theory]
    [InlineData("One HTTP request", 25)]
    [InlineData("One flow", 15)]
    [InlineData("One process", 8)]
    public void Every_name_of_a_walk_is_in_the_file_that_is_linked_before_it(string walk, int fewestSteps)
    {
        var steps = Steps(Section(walk));
        Assert.InRange(steps.Count, fewestSteps, int.MaxValue);
        Assert.Empty(steps.SelectMany(static step => Faults(step, Source)));
    }

    [Fact]
    public void The_folders_are_listed_in_the_order_that_the_code_is_held_to()
    {
        var listed = Folder().Matches(Section("Folders")).Select(static match => match.Groups[1].Value).ToArray();
        Assert.Equal(((IEnumerable<object[]>)FolderTests.Folders).Select(static row => (string)row[0]), listed);
        Assert.All(listed, static name => Assert.True(Directory.Exists(Path.Combine(Page.Directory, "../src/Beyla.Agent", name)), name));
    }

    /// <summary>A newcomer reads it in one go.</summary>
    [Fact]
    public void It_is_one_page()
    {
        var lines = Text.TrimEnd('\n').Split('\n');
        Assert.InRange(lines.Length, 1, 200);
        Assert.All(lines, static line => Assert.InRange(line.Length, 0, 140));
    }

    /// <summary>The comparison itself, with a source that has <c>void Read()</c> and the word Gone in comments only.</summary>
    [Theory]
    [InlineData("1. [a.cs](a.cs) `Read`", "")]
    [InlineData("1. [a.cs](a.cs) `Reader.Read`", "a.cs has no Reader")]
    [InlineData("1. [a.cs](a.cs) `Rea`, `Gone`", "a.cs has no Rea|a.cs has no Gone")]
    [InlineData("1. `Read` in [a.cs](a.cs) `Read`", "Read stands before any file")]
    [InlineData("1. [a.cs](a.cs) reads", "a.cs is linked and nothing of it named")]
    [InlineData("1. Somebody reads", "no file is linked: 1. Somebody reads")]
    public void A_name_that_is_not_there_is_found(string step, string expected) =>
        Assert.Equal(expected, string.Join('|', Faults(step, static _ => "/* Gone */ class A { void Read() { } } // Gone")));

    /// <summary>What is wrong with one step.</summary>
    /// <param name="step">Its text.</param>
    /// <param name="source">Reads a linked file.</param>
    private static List<string> Faults(string step, Func<string, string> source)
    {
        var faults = new List<string>();
        string? file = null;
        var code = "";
        var named = 0;
        foreach (var mark in Mark().Matches(step).Cast<Match>())
        {
            if (mark.Groups["file"].Success)
            {
                AddUnnamed();
                (file, named) = (mark.Groups["file"].Value, 0);
                code = Comment().Replace(source(file), "");
                continue;
            }

            named++;
            var name = mark.Groups["name"].Value;
            if (file is null)
            {
                faults.Add($"{name} stands before any file");
                continue;
            }

            faults.AddRange(name.Split('.').Where(part => !Regex.IsMatch(code, $@"(?<!\w){Regex.Escape(part)}(?!\w)"))
                .Select(part => $"{Path.GetFileName(file)} has no {part}"));
        }

        AddUnnamed();
        if (file is null)
        {
            faults.Add($"no file is linked: {step}");
        }

        return faults;

        void AddUnnamed()
        {
            if (file is not null && named == 0)
            {
                faults.Add($"{Path.GetFileName(file)} is linked and nothing of it named");
            }
        }
    }

    private static string Source(string link) => File.ReadAllText(Path.Combine(Page.Directory, link));

    /// <summary>The items of all lists, each with the lines that go on with it.</summary>
    private static List<string> Steps(string section)
    {
        var steps = new List<string>();
        var isOpen = false;
        foreach (var line in section.Split('\n'))
        {
            if (Item().IsMatch(line))
            {
                steps.Add(line);
                isOpen = true;
            }
            else if (line.StartsWith(' ') && isOpen)
            {
                steps[^1] += '\n' + line;
            }
            else
            {
                isOpen = false;
            }
        }

        return steps;
    }

    /// <summary>What stands below a heading of the second level, with the headings in it.</summary>
    private static string Section(string heading)
    {
        var start = Text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/architecture.md has no section {heading}");
        var end = Text.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return end < 0 ? Text[start..] : Text[start..end];
    }

    [GeneratedRegex(@"\]\((?<file>[^)\s]+)\)|`(?<name>[^`\n]+)`")]
    private static partial Regex Mark();

    [GeneratedRegex(@"^ *(?:\d+\.|-) ")]
    private static partial Regex Item();

    [GeneratedRegex(@"/\*.*?\*/|//[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\d+\. \[\w+\]\(\.\./src/Beyla\.Agent/(\w+)\)", RegexOptions.Multiline)]
    private static partial Regex Folder();
}
