using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Selection;

public sealed class GlobTests
{
    [Theory]
    [InlineData("*nginx", "/usr/sbin/nginx", true)]
    [InlineData("*nginx", "nginx", true)]
    [InlineData("*nginx", "/usr/sbin/nginx2", false)]
    [InlineData("*", "", true)]
    [InlineData("*", "/a/b", true)]
    [InlineData("/usr/*/nginx", "/usr/local/sbin/nginx", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("a?c", "a😀c", true)]
    [InlineData("[abc]x", "bx", true)]
    [InlineData("[a-c]x", "dx", false)]
    [InlineData("[!a-c]x", "dx", true)]
    [InlineData("[!a-c]x", "ax", false)]
    [InlineData("[a-c5-7_]", "6", true)]
    [InlineData("[]]", "]", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("{go,java}", "java", true)]
    [InlineData("{go,java}", "javas", false)]
    [InlineData("{go,java}", "rust", false)]
    [InlineData("x{a,b*,{c,d}e}y", "xbanany", true)]
    [InlineData("x{a,b*,{c,d}e}y", "xdey", true)]
    [InlineData("x{a,b*,{c,d}e}y", "xcy", false)]
    [InlineData("x{,s}", "x", true)]
    [InlineData("x{,s}", "xs", true)]
    [InlineData("a\\*b", "a*b", true)]
    [InlineData("a\\*b", "axb", false)]
    [InlineData("a,b}", "a,b}", true)]
    [InlineData("*otelcol-contrib[!/]*", "/bin/otelcol-contrib_0.1", true)]
    [InlineData("*otelcol-contrib[!/]*", "/otelcol-contrib/app", false)]
    [InlineData("**/x", "/a/b/x", true)]
    [InlineData("Nginx", "nginx", false)]
    public void Matches_the_whole_text(string pattern, string text, bool expected)
    {
        Assert.True(Glob.TryParse(pattern, out var glob, out var error), error);
        Assert.Equal(expected, glob.IsMatch(text));
    }

    [Theory]
    [InlineData("", "a glob has 1 to 4096 characters")]
    [InlineData("ab[c", "the [ at character 3 has no ]")]
    [InlineData("[", "the [ at character 1 has no ]")]
    [InlineData("[z-a]", "the range z-a at character 1 ends before it starts")]
    [InlineData("a{b,c", "the { at character 2 has no }")]
    [InlineData("a\\", "it ends with a backslash that escapes nothing")]
    [InlineData("{{{{{{{{{{{{{{{{{a}}}}}}}}}}}}}}}}}", "braces are nested more than 16 deep")]
    public void Refuses_with_the_place(string pattern, string expected)
    {
        Assert.False(Glob.TryParse(pattern, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Takes_no_exponential_time()
    {
        var pattern = string.Concat(Enumerable.Repeat("{*a,*b}", 40)) + "c";
        Assert.True(Glob.TryParse(pattern, out var glob, out _));
        Assert.False(glob.IsMatch(new string('a', 4000)));
        Assert.True(glob.IsMatch(new string('a', 100) + "c"));
    }
}
