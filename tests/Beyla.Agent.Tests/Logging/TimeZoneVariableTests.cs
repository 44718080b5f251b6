using System.Diagnostics;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Tests.Logging;

/// <summary>Which files TZ may lead to; nothing here changes the zone of the test process.</summary>
public sealed class TimeZoneVariableTests : IDisposable
{
    private const string Zones = "/usr/share/zoneinfo";

    private readonly string directory = Directory.CreateTempSubdirectory("beyla-zone-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("Europe/Berlin")]
    [InlineData(":Europe/Berlin")]
    [InlineData("Etc/UTC")]
    [InlineData("Nowhere/Atall")]
    [InlineData("CET-1CEST,M3.5.0,M10.5.0/3")]
    [InlineData("/usr/share/zoneinfo/Asia/Tokyo")]
    [InlineData("/etc/localtime")]
    public void These_are_used_also_with_raised_rights(string? zone)
    {
        Assert.Null(TimeZoneVariable.Refuse(zone, Zones, raisedRights: false));
        Assert.Null(TimeZoneVariable.Refuse(zone, Zones, raisedRights: true));
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData(":/dev/zero")]
    [InlineData("../../../dev/zero")]
    [InlineData("/proc/self/maps")]
    [InlineData("/proc/kmsg")]
    [InlineData("/")]
    [InlineData("Europe")]
    [InlineData("a\0b")]
    public void These_are_never_used(string zone)
    {
        Assert.NotNull(TimeZoneVariable.Refuse(zone, Zones, raisedRights: false));
        Assert.NotNull(TimeZoneVariable.Refuse(zone, Zones, raisedRights: true));
    }

    [Fact]
    public void Files_are_judged_by_what_links_lead_to_and_by_their_size()
    {
        var pipe = Path.Combine(directory, "pipe");
        using (var mkfifo = Process.Start("mkfifo", pipe))
        {
            mkfifo.WaitForExit();
        }
        // The text of this link is as long as a zone file may be.
        var link = Path.Combine(directory, "link");
        File.CreateSymbolicLink(link, "/" + string.Concat(Enumerable.Repeat("./", 40)) + "dev/zero");
        var small = Path.Combine(directory, "small");
        File.WriteAllBytes(small, new byte[43]);
        var large = Path.Combine(directory, "large");
        File.WriteAllBytes(large, new byte[64 * 1024 + 1]);
        var zone = Path.Combine(directory, "zone");
        File.WriteAllBytes(zone, new byte[64 * 1024]);
        using var open = File.OpenHandle("/dev/zero");
        foreach (var path in (string[])[pipe, link, small, large, $"/proc/self/fd/{open.DangerousGetHandle()}"])
        {
            Assert.Equal("is no regular file of 44 to 65536 bytes", TimeZoneVariable.Refuse(path, Zones, raisedRights: false));
        }

        Assert.Null(TimeZoneVariable.Refuse(zone, Zones, raisedRights: false));
        Assert.Null(TimeZoneVariable.Refuse("zone", directory, raisedRights: false));
        Assert.Equal("is not below /usr/share/zoneinfo, and the agent has capabilities that its caller has not",
            TimeZoneVariable.Refuse(zone, Zones, raisedRights: true));
        Assert.NotNull(TimeZoneVariable.Refuse("Europe/../Europe/Berlin", Zones, raisedRights: true));
    }
}
