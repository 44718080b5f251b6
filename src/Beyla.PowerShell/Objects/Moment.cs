using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;

namespace Beyla.PowerShell;

/// <summary>
/// Points in time of the objects. The pipeline gets a DateTime on this host's clock, as from every cmdlet: it compares with Get-Date,
/// and of all types for a time it is the one that CLIXML and remoting carry whole. Its text is that of ISO 8601, where DateTime's own
/// stops at whole seconds; Export-Csv takes it.
/// </summary>
public static class Moment
{
    private static readonly MethodInfo TextMethod = typeof(Moment).GetMethod(nameof(ToText), BindingFlags.Public | BindingFlags.Static)!;

    /// <summary>UTC with microseconds: <c>2026-01-02T03:04:05.000006Z</c>.</summary>
    public static string Text(DateTimeOffset time) => Iso(time.UtcDateTime);

    /// <summary>The text of a time in the pipeline.</summary>
    public static string ToText(PSObject time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Iso(((DateTime)time.BaseObject).ToUniversalTime());
    }

    /// <summary>The time for the pipeline.</summary>
    internal static PSObject Of(DateTimeOffset time)
    {
        // Not the clock of the offset: the hour that a change of the clock repeats keeps which of the two it is.
        var value = time.UtcDateTime.ToLocalTime();
        var moment = new PSObject(value);
        moment.Methods.Add(new TextOf(value), preValidated: true);
        return moment;
    }

    private static string Iso(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>
    /// What a time says as text: with a format or a culture what every DateTime says, so that <c>-f</c> and
    /// <c>ToString('HH:mm')</c> work; without, ISO 8601.
    /// </summary>
    private sealed class TextOf(DateTime value) : PSCodeMethod("ToString", TextMethod)
    {
        /// <summary>PowerShell hands a format only to a method with several overloads.</summary>
        public override Collection<string> OverloadDefinitions =>
            ["string ToString()", "string ToString(string format)", "string ToString(string format, IFormatProvider provider)"];

        public override PSMemberInfo Copy() => new TextOf(value);

        public override object Invoke(params object[] arguments)
        {
            var given = (arguments ?? []).Select(argument => argument is PSObject wrapped ? wrapped.BaseObject : argument).ToList();
            var format = given.OfType<string>().FirstOrDefault(text => text.Length > 0);
            // PowerShell names the culture of a text that is to be the same everywhere: alone it asks for no format.
            var culture = given.OfType<IFormatProvider>().FirstOrDefault();
            return format is null && (culture is null || culture == CultureInfo.InvariantCulture || given.Count > 1)
                ? Iso(value.ToUniversalTime())
                : value.ToString(format, culture ?? CultureInfo.CurrentCulture);
        }
    }
}
