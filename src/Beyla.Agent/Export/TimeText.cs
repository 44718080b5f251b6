namespace Beyla.Agent.Export;

/// <summary>
/// Writes times with microseconds. The text down to the second is kept from call to call, as most calls fall into the
/// same second. One thread.
/// </summary>
public sealed class TimeText
{
    /// <summary>Length of every time: <c>2026-08-20 10:11:12.820111</c>.</summary>
    public const int Length = 26;

    /// <summary>End of 9999, the last second that the calendar of .NET has.</summary>
    private const long LastSecond = 253402300799;

    private readonly TimeZoneInfo zone;
    private readonly byte separator;
    private readonly byte[] text = new byte[20];
    private long second = -1;

    private TimeText(TimeZoneInfo zone, char separator)
    {
        this.zone = zone;
        this.separator = (byte)separator;
    }

    /// <summary>Local time for people: <c>2026-08-20 10:11:12.820111</c>. The zone is that of TZ, else of /etc/localtime.</summary>
    public static TimeText Local(TimeZoneInfo? zone = null) => new(zone ?? TimeZoneInfo.Local, ' ');

    /// <summary>UTC without its zone letter: <c>2026-08-20T10:11:12.820111</c> (RFC 3339, with a Z behind it).</summary>
    public static TimeText Utc() => new(TimeZoneInfo.Utc, 'T');

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(long unixMicroseconds, ref LineWriter line)
    {
        var rest = unixMicroseconds - (second * 1_000_000);
        if ((ulong)rest >= 1_000_000)
        {
            Render(Math.Clamp(unixMicroseconds / 1_000_000, 0, LastSecond));
            rest = unixMicroseconds % 1_000_000;
        }

        line.Write(text);
        line.WriteDigits((int)rest, 6);
    }

    private void Render(long now)
    {
        var time = DateTime.UnixEpoch.AddSeconds(now);
        if (zone != TimeZoneInfo.Utc)
        {
            var shift = zone.GetUtcOffset(time);
            time = shift > TimeSpan.Zero && DateTime.MaxValue - time < shift ? time : time + shift;
        }

        var line = new LineWriter(text);
        line.WriteDigits(time.Year, 4);
        line.Write("-"u8);
        line.WriteDigits(time.Month, 2);
        line.Write("-"u8);
        line.WriteDigits(time.Day, 2);
        line.WriteByte(separator);
        line.WriteDigits(time.Hour, 2);
        line.Write(":"u8);
        line.WriteDigits(time.Minute, 2);
        line.Write(":"u8);
        line.WriteDigits(time.Second, 2);
        line.WriteByte((byte)'.');
        second = now;
    }
}
