using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class HostFactsTests
{
    [Theory]
    [InlineData("6.1.0-56-cloud-amd64", "6.1.0")]
    [InlineData("6.12.117+deb12-cloud-amd64", "6.12.117")]
    [InlineData("5.14", "5.14.0")]
    [InlineData("4.18.0-553.el8_10.x86_64", "4.18.0")]
    [InlineData("", "0.0.0")]
    [InlineData("x.99999999999999.-", "0.999999.0")]
    public void Kernel_releases_are_read(string release, string expected) =>
        Assert.Equal(Version.Parse(expected), HostFactsReader.ParseKernel(release));

    [Theory]
    [InlineData("[none] integrity confidentiality", "none")]
    [InlineData("none [integrity] confidentiality", "integrity")]
    [InlineData("none integrity [confidentiality]", "confidentiality")]
    [InlineData("none [", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Lockdown_is_read(string? text, string? expected) => Assert.Equal(expected, HostFactsReader.ParseLockdown(text));

    [Fact]
    public void Mounts_are_found_by_type()
    {
        const string mounts = "21 26 0:20 / /proc rw,relatime - proc proc rw\n"
            + "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw\n";
        Assert.Equal("/sys/fs/cgroup/unified", HostFactsReader.FindMount(mounts, "cgroup2"));
        Assert.Equal("/proc", HostFactsReader.FindMount(mounts, "proc"));
        Assert.Equal("", HostFactsReader.FindMount(mounts, "tracefs"));
        Assert.Null(HostFactsReader.FindMount(null, "tracefs"));
    }

    [Fact]
    public void This_host_can_be_read()
    {
        var facts = HostFactsReader.Read();
        Assert.True(facts.Kernel >= new Version(5, 8), facts.KernelRelease);
        Assert.True(facts.LastCapability >= 40);
        Assert.NotNull(facts.InitialUserNamespace);
        Assert.NotNull(facts.NoNewPrivileges);
        Assert.Equal(ProcessCapabilities.Current().Bounding, facts.Capabilities.Bounding);
    }
}
