using System.Globalization;
using System.Management.Automation;

namespace Beyla.PowerShell;

/// <summary>
/// Points in time of the objects. The pipeline gets a DateTime on this host's clock, as from every cmdlet: it compares with Get-Date, and of all types for a time it is the one
/// that CLIXML and remoting carry whole. Its text is that of ISO 8601, where DateTime's own stops at whole seconds; Export-Csv takes it.
/// </summary>
public static class Moment
{
    /// <summary>The type name under which Beyla.Types.ps1xml gives such a DateTime its text.</summary>
    internal const string TypeName = "Beyla.Time";

    /// <summary>UTC with microseconds: <c>2026-01-02T03:04:05.000006Z</c>.</summary>
    public static string Text(DateTimeOffset time) => Iso(time.UtcDateTime);

    /// <summary>What a time says as text; <c>$time.ToString('HH:mm')</c> and the like work as for every DateTime.</summary>
    /// <param name="time">The time.</param>
    /// <param name="arguments">Nothing, a format, a culture, or both.</param>
    public static string ToString(PSObject time, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(arguments);
        var value = (DateTime)time.BaseObject;
        var format = arguments.Select(Base).OfType<string>().FirstOrDefault(text => text.Length > 0);
        var culture = arguments.Select(Base).OfType<IFormatProvider>().FirstOrDefault();
        return format is null && culture is null ? Iso(value.ToUniversalTime()) : value.ToString(format, culture ?? CultureInfo.CurrentCulture);
    }

    /// <summary>The time for the pipeline.</summary>
    internal static PSObject Of(DateTimeOffset time)
    {
        // Not the clock of the offset: the hour that a change of the clock repeats keeps which of the two it is.
        var moment = new PSObject(time.UtcDateTime.ToLocalTime());
        moment.TypeNames.Insert(0, TypeName);
        return moment;
    }

    private static string Iso(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static object? Base(object? argument) => argument is PSObject wrapped ? wrapped.BaseObject : argument;
}
