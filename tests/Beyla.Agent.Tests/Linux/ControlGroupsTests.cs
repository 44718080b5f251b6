using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

/// <summary>Mount points and groups, in the words of proc_pid_mountinfo(5) and cgroups(7).</summary>
public sealed class ControlGroupsTests
{
    [Theory]
    [InlineData("29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate", "/sys/fs/cgroup")]
    [InlineData(
        "30 29 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n31 29 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 none rw",
        "/sys/fs/cgroup/unified")]
    [InlineData("31 29 0:28 / /mnt/with\\040blank\\134 rw - cgroup2 none rw", "/mnt/with blank\\")]
    [InlineData("30 29 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", null)]
    [InlineData("30 29 0:27 / /cgroup2 rw - tmpfs cgroup2 rw", null)]
    [InlineData(" - cgroup2 ", null)]
    [InlineData("", null)]
    public void The_mount_point_of_version_2(string mounts, string? expected) => Assert.Equal(expected, ControlGroups.FindMount(mounts));

    [Theory]
    [InlineData("0::/system.slice/nginx.service\n", "/system.slice/nginx.service")]
    [InlineData("12:cpu:/a\n1:name=systemd:/b\n0::/\n", "/")]
    [InlineData("12:cpu:/a\n", null)]
    [InlineData("0::/../../shop\n", null)] // above the root of this process's cgroup namespace
    [InlineData("0::/gone (deleted)\n", null)]
    [InlineData("", null)]
    public void The_group_of_a_process(string groups, string? expected) => Assert.Equal(expected, ControlGroups.FindGroup(groups));

    [Theory]
    [InlineData("/", "/a", true)]
    [InlineData("/", "/", true)]
    [InlineData("/a", "/a", true)]
    [InlineData("/a", "/a/b", true)]
    [InlineData("/a", "/ab", false)]
    [InlineData("/a/b", "/a", false)]
    public void A_group_holds_those_below_it(string outer, string inner, bool expected) =>
        Assert.Equal(expected, ControlGroups.Holds(outer, inner));
}
