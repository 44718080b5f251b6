using System.Diagnostics;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

public class WallClockTests
{
    [Fact]
    public void StepsOfTheWallClockAreFollowed()
    {
        long wall = 1_000_000_000_000, monotonic = 0;
        var clock = new WallClock(() => monotonic, () => wall + monotonic);
        Assert.Equal(1_000_000_500, clock.ToUnixMicroseconds(500_000, 500_000));
        wall += 3_600_000_000_000;
        Assert.Equal(1_000_000_500, clock.ToUnixMicroseconds(500_000, 999_999_999)); // not read again yet
        monotonic = 1_000_000_000;
        Assert.Equal(4_600_000_500 + 1_000_000 - 1_000_000, clock.ToUnixMicroseconds(500_000, 1_000_000_000));
    }

    [Fact]
    public void PresentIsThePresent()
    {
        // Stopwatch is CLOCK_MONOTONIC in nanoseconds on Linux.
        var now = Stopwatch.GetTimestamp();
        var shown = DateTimeOffset.UnixEpoch.AddMicroseconds(new WallClock().ToUnixMicroseconds(now, now));
        Assert.InRange(DateTimeOffset.UtcNow - shown, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(10));
        Assert.InRange(WallClock.UnixMicroseconds() - shown.Subtract(DateTimeOffset.UnixEpoch).TotalMicroseconds, -1e6, 1e7);
    }

    /// <summary>The form of the file is that of time_namespaces(7).</summary>
    [Theory]
    [InlineData("monotonic           0         0\nboottime            0         0\n", 0)]
    [InlineData("monotonic      172800         0\nboottime       604800         0\n", 172_800_000_000_000)]
    [InlineData("monotonic         -11 999999999\nboottime            0         0\n", -10_000_000_001)]
    [InlineData("boottime            5         0\n", 0)]
    [InlineData("", 0)]
    public void ATimeNamespaceAddsToTheClock(string offsets, long expected) => Assert.Equal(expected, MonotonicClock.AddedBy(offsets));

    [Theory]
    [InlineData("2026-03-29T00:59:59.999999Z", "2026-03-29 01:59:59.999999")]
    [InlineData("2026-03-29T01:00:00.000000Z", "2026-03-29 03:00:00.000000")]
    [InlineData("2026-10-25T00:59:59.000001Z", "2026-10-25 02:59:59.000001")]
    [InlineData("2026-10-25T01:00:00.000000Z", "2026-10-25 02:00:00.000000")]
    public void LocalTimeFollowsSummerTime(string utc, string local)
    {
        var moment = DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture);
        var line = new LineWriter(new byte[TimeText.Length]);
        TimeText.Local(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"))
            .Write((moment - DateTimeOffset.UnixEpoch).Ticks / 10, ref line);
        Assert.Equal(local, System.Text.Encoding.ASCII.GetString(line.Written));
    }

    [Fact]
    public void AbsurdTimesAreBounded()
    {
        var line = new LineWriter(new byte[64]);
        TimeText.Local(TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(14), "", "")).Write(long.MaxValue, ref line);
        Assert.StartsWith("9999-12-31 23:59:59.", System.Text.Encoding.ASCII.GetString(line.Written), StringComparison.Ordinal);
    }
}
