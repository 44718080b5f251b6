using System.Text;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>Variables in a configuration file: where they count, and what a hostile file or environment costs.</summary>
public sealed class SubstitutionTests
{
    [Theory]
    [InlineData("# port: ${UNSET}\nopen_port: 80")]
    [InlineData("open_port: 80 # was ${UNSET}")]
    [InlineData("open_port: 80\n  # ${UNSET}\n#${UNSET}")]
    [InlineData("\ufeff# ${UNSET}")]
    [InlineData("network: {print_flows: true} # ${UNSET}")]
    [InlineData("discovery:\n  instrument:\n  - open_ports: 80 # ${UNSET}\n    name: it's # ${UNSET}")]
    [InlineData("service_name: 'a' # ${UNSET} isn't set\nservice_namespace: b # ${UNSET}")]
    [InlineData("service_name: |\n  text\n# ${UNSET}\nopen_port: 80 # ${UNSET}")]
    [InlineData("service_name: a#b # ${UNSET}")]
    [InlineData("--- # ${UNSET}\nopen_port: 80")]
    [InlineData("open_port: 80\r\n# ${UNSET}\r\n")]
    [InlineData("# ${UNSET:-} $${UNSET} ${BROKEN}")]
    public void A_comment_has_no_variables(string yaml)
    {
        var loaded = Loaded.From(yaml, [("BROKEN", "a\nb")]);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("service_name: ${A}#b", "x#b")]
    [InlineData("service_name: a#${A}", "a#x")]
    [InlineData("service_name: '# ${A}'", "# x")]
    [InlineData("service_name: \"a # ${A}\"", "a # x")]
    [InlineData("service_name: \"a\\\" # ${A}\"", "a\" # x")]
    [InlineData("service_name: 'it''s # ${A}'", "it's # x")]
    [InlineData("service_name: 'two\n  # ${A}'", "two # x")]
    [InlineData("service_name: |\n  # ${A}", "# x")]
    [InlineData("service_name: >-\n  a\n\n  # ${A}", "a\n# x")]
    [InlineData("service_name: | # ${B}\n   # ${A}\n", "# x\n")]
    [InlineData("service_name: !!str '# ${A}'", "# x")]
    [InlineData("service_name: &n \"# ${A}\"", "# x")]
    [InlineData("{service_name: \"# ${A}\", open_port: 80}", "# x")]
    [InlineData("{\"service_name\":\"# ${A}\"}", "# x")]
    [InlineData("service_namespace: it 's # ${B}\nservice_name: '# ${A}'", "# x")]
    [InlineData("service_namespace: a, 'b\nservice_name: '# ${A}'", "# x")]
    [InlineData("# it's\nservice_name: '# ${A}'", "# x")]
    [InlineData("service_namespace: ${A} # \"\nservice_name: '# ${A}'", "# x")]
    [InlineData("--- {service_name: '# ${A}'}", "# x")]
    public void Content_that_looks_like_a_comment_has(string yaml, string expected)
    {
        var loaded = Loaded.From(yaml, [("A", "x")]);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(expected, loaded.Setting("service_name").Text);
    }

    [Fact]
    public void An_unset_variable_is_warned_of_once_for_its_first_place()
    {
        var loaded = Loaded.From("open_port: 80\nservice_name: ${A}${A}\nservice_namespace: ${A}${B}");
        Assert.Equal(
            ["beyla.yml:2: the variable A ", "beyla.yml:3: the variable B "], loaded.Warnings.Select(static warning => warning[..28]));
    }

    [Fact]
    public void Two_variables_with_line_breaks_are_two_problems_and_each_is_told_once()
    {
        var loaded = Loaded.From("open_port: ${A}\nservice_name: ${A}${B}", [("A", "1\n2"), ("B", "\t")]);
        Assert.Equal(["beyla.yml:1: the value of the variable A ", "beyla.yml:2: the value of the variable B "],
            loaded.Problems.Select(static problem => problem[..41]));
        Assert.Empty(loaded.StartProblems);
    }

    /// <summary>
    /// A file of the largest size whose variables have the largest value would be 40 GB; each step of it is refused where it leaves the
    /// bound.
    /// </summary>
    [Fact]
    public void What_variables_become_is_bounded()
    {
        var text = new StringBuilder("service_name: ");
        while (text.Length < ConfigurationFile.MaximumSize - 8)
        {
            text.Append("${A}");
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var problem = Assert.Single(Loaded.From(text.ToString(), [("A", new string('x', 128 * 1024))]).Problems);
        Assert.Equal(
            "beyla.yml:1: with its variables replaced the text has more than 1048576 characters; the variable A here has 131072", problem);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);

        // Up to the bound it is as good as a file of that size.
        Assert.Empty(Loaded.From("service_name: ${A}", [("A", new string('x', 1_000_000))]).Problems);
    }

    /// <summary>Steps are counted by what they allocate: no text is copied for a beginning that has no end.</summary>
    [Theory]
    [InlineData("${A:-")]
    [InlineData("${")]
    [InlineData("$${A:-")]
    [InlineData("${A")]
    [InlineData("'")]
    [InlineData("&a ")]
    [InlineData("# ${A} ")]
    [InlineData("[\"${A}\", ")]
    public void A_file_of_nothing_but_beginnings_is_read_in_one_go(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, ConfigurationFile.MaximumSize / piece.Length));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = VariableSubstitution.Apply(text, "beyla.yml", Loaded.Variables(("A", "x")), new MessageList());
        Assert.InRange(result.Length, 1, ConfigurationFile.MaximumSize);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128 << 20);
    }

    [Fact]
    public void Mistakes_without_end_are_told_up_to_a_number()
    {
        var text = new StringBuilder();
        for (var i = 0; i < 20_000; i++)
        {
            text.Append("key").Append(i).Append(": ${V").Append(i).Append("}\n");
        }

        var loaded = Loaded.From(text.ToString());
        Assert.Equal(MessageList.Limit + 1, loaded.Warnings.Count);
        Assert.Equal("39500 more of these are left out", loaded.Warnings[^1]);
    }

    [Fact]
    public void A_problem_shows_no_more_of_a_value_than_helps()
    {
        var loaded = Loaded.From(
            "x: &x " + new string('y', 500_000) + "\nopen_port: *x\ntrace_printer: *x\nnetwork: {cidrs: *x, interfaces: *x}");
        Assert.NotEmpty(loaded.Problems);
        Assert.All(loaded.Problems, static problem => Assert.InRange(problem.Length, 1, 2200));
    }
}
