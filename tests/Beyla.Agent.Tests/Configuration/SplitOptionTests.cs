using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// The executable decides before its runtime starts whether it splits (src/Beyla.Cli/native/split.c), by a list of options in C: it must be
/// the command line's.
/// </summary>
public sealed partial class SplitOptionTests
{
    private static readonly string Source = File.ReadAllText(Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(Here())!, "../../../src/Beyla.Cli/native/split.c")));

    [Fact]
    public void The_options_with_a_value_are_the_command_lines() => Assert.Equal(
        CommandLineOption.All.Where(static option => option.Argument is not null).Select(static option => option.Name)
            .Concat(["--config", "-config", "--set"]).Order(StringComparer.Ordinal),
        Words("with_value").Order(StringComparer.Ordinal));

    /// <summary>Each word of the list takes the next one as its value, also one that looks like an option; others take none.</summary>
    [Fact]
    public void They_take_the_next_word()
    {
        Assert.All(Words("with_value"), static option =>
        {
            var value = option == "--set" ? "log_level=-h" : "-h";
            Assert.False(CommandLine.Parse([option, value], ["config"]).Help);
        });
        Assert.All(
            CommandLineOption.All.Where(static option => option.Argument is null),
            static option => Assert.True(CommandLine.Parse([option.Name, "-h"], ["config"]).Help));
    }

    [Fact]
    public void What_only_prints_is_help_or_version()
    {
        Assert.Equal(5, Words("only_printing").Length);
        Assert.All(Words("only_printing"), static option =>
        {
            var line = CommandLine.Parse([option], ["config"]);
            Assert.True(line.Help || line.Version);
        });
    }

    private static string[] Words(string list)
    {
        var body = Regex.Match(Source, $@"\b{list}\[\] = \{{(.*?)\}};", RegexOptions.Singleline);
        Assert.True(body.Success);
        return [.. Word().Matches(body.Groups[1].Value).Select(static match => match.Groups[1].Value)];
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Word();
}
