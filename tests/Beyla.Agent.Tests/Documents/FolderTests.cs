using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using NetArchTest.Rules;

namespace Beyla.Agent.Tests.Documents;

/// <summary>The folders of the agent stand in one order, and none knows a later one (docs/architecture.md, "Folders").</summary>
public sealed partial class FolderTests
{
    private static readonly string[] Order =
    [
        "Linux", "Counting", "Logging", "Selection", "Configuration", "Kernel", "Capabilities", "Processes", "Spans", "Tracing",
        "Protocols", "Flows", "Statistics", "Keeper", "Metrics", "Export",
    ];

    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../src/Beyla.Agent"));

    public static TheoryData<string> Folders => [.. Order];

    /// <summary>In what the compiler made of it: each type that a type of the folder names.</summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void No_type_knows_a_later_folder(string folder)
    {
        var later = Order.SkipWhile(other => other != folder).Skip(1).Select(other => $"Beyla.Agent.{other}").ToArray();
        var types = Types.InAssembly(typeof(Agent.Kernel.BpfMap).Assembly).That().ResideInNamespace($"Beyla.Agent.{folder}");
        Assert.NotEmpty(types.GetTypes());
        var result = later.Length == 0 ? null : types.ShouldNot().HaveDependencyOnAny(later).GetResult();
        Assert.Empty(result?.FailingTypes.Select(static type => type.FullName) ?? []);
    }

    /// <summary>In the source too: a constant leaves no trace in what the compiler makes, and a comment's reference none at all.</summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void No_file_opens_a_later_folder_and_namespaces_are_folders(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            var place = Path.GetRelativePath(Root, Path.GetDirectoryName(file)!).Replace('/', '.');
            Assert.Equal($"Beyla.Agent.{place}", Namespace().Match(text).Groups[1].Value);
            Assert.All(Opened().Matches(text), match => Assert.True(
                Array.IndexOf(Order, match.Groups[1].Value) <= Array.IndexOf(Order, folder), $"{file} opens {match.Groups[1].Value}"));
        }
    }

    [Fact]
    public void The_order_names_each_folder() => Assert.Equal(
        Order.Order(), Directory.EnumerateDirectories(Root).Select(Path.GetFileName).Order());

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:static )?Beyla\.Agent\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Opened();
}
