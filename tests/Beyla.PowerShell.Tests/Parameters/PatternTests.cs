using System.Text.RegularExpressions;
using Beyla.PowerShell.Agent;
using Beyla.PowerShell.Completion;
using Beyla.PowerShell.Parameters;

namespace Beyla.PowerShell.Tests.Parameters;

/// <summary>What people write as a pattern means the same when the agent reads it.</summary>
public sealed class PatternTests
{
    [Theory]
    [InlineData("*/a", "*/a")]
    [InlineData("a,b", "a,b")] // alone it stays as it is
    [InlineData("{*/a,*/b}", "*/a", "*/b")]
    [InlineData("{a\\,b,*/x}", "a,b", "*/x")]
    [InlineData("{a\\},b}", "a}", "b")]
    [InlineData("{{a,b},c}", "{a,b}", "c")]
    [InlineData("{{a,{b,c}},d}", "{a,{b,c}}", "d")]
    [InlineData("{[,}]a,b}", "[,}]a", "b")]
    [InlineData("{[],]\\,a,b}", "[],],a", "b")]
    [InlineData("{[!],]\\,,b}", "[!],],", "b")]
    [InlineData("{a\\,b,c}", "a\\,b", "c")]
    public void Several_globs_are_alternatives_that_keep_their_meaning(string joined, params string[] globs) =>
        Assert.Equal(joined, Globs.Join(globs));

    [Fact]
    public void A_glob_that_would_change_the_next_one_is_refused() =>
        Assert.Equal(AgentFault.ConfigurationInvalid, Assert.Throws<AgentException>(() => Globs.Join(["a\\", "b"])).Kind);

    [Theory]
    [InlineData("nginx", true)]
    [InlineData("nginx*", true)]
    [InlineData("*nginx", false)]
    [InlineData("/usr/sbin/nginx", false)]
    [InlineData("{*/nginx,/x}", false)]
    [InlineData("[/]x", false)]
    [InlineData("\\/x", false)]
    [InlineData("?usr*", false)]
    public void A_bare_name_fits_no_path(string glob, bool fitsNone) => Assert.Equal(fitsNone, Globs.FitsNoPath(glob));

    [Theory]
    [InlineData("lo", "lo")]
    [InlineData("/^br-/", "/^br-/")]
    [InlineData("l*", "/^l.*$/", "lo", "l")]
    [InlineData("eth?", "/^eth.$/", "eth0")]
    [InlineData("eth[01]", "/^eth[01]$/", "eth0", "eth1")]
    [InlineData("eth[0-3].5", "/^eth[0-3]\\x2e5$/", "eth2.5")]
    [InlineData("a,*", "/^a\\x2c.*$/", "a,b")]
    [InlineData("v[eth*", "/^v\\x5beth.*$/", "v[eth0")]
    public void Interfaces_have_wildcards(string name, string pattern, params string[] fits)
    {
        Assert.Equal(pattern, InterfaceNames.ToPattern(name));
        foreach (var one in fits)
        {
            Assert.Matches(new Regex(pattern[1..^1]), one);
        }

        if (pattern[0] == '/' && name[0] != '/')
        {
            Assert.DoesNotMatch(new Regex(pattern[1..^1]), "xl0");
        }
    }

    [Theory]
    [InlineData("nginx", "nginx", "/usr/sbin/nginx", "nginx: worker process")]
    [InlineData("prometheus-conf prometheus-config-reloader", "prometheus-conf",
        "/bin/prometheus-config-reloader", "/bin/prometheus-config-reloader --x")]
    [InlineData("prometheus-conf prometheus-config-reloader", "prometheus-conf", "", "/bin/prometheus-config-reloader --x")]
    [InlineData("exactly-fifteen", "exactly-fifteen", "/bin/exactly-fifteen", "exactly-fifteen")]
    [InlineData("MainThread", "MainThread", "/usr/bin/node", "node server.js")]
    public void A_process_is_known_by_its_short_name_and_by_the_whole_of_one_that_was_cut(
        string names, string command, string executable, string line) =>
        Assert.Equal(names.Split(' '), ProcessNames.Candidates(new HostProcess(1, command, executable, line)).Distinct());
}
