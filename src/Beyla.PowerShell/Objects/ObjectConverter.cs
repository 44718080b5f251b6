using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell;

/// <summary>
/// Makes the objects of the module again from what Import-Clixml, remoting and jobs leave of them, and from the rows of
/// ConvertFrom-Json and Import-Csv (<c>[Beyla.Span] $row</c>). Properties are found by name; one that is not there keeps its default,
/// one that has no sense is refused, and then PowerShell leaves the bag as it is.
/// </summary>
public sealed class ObjectConverter : PSTypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(object sourceValue, Type destinationType) =>
        sourceValue is PSObject bag && Array.TrueForAll(Needed(destinationType), name => bag.Properties[name] is not null);

    /// <inheritdoc/>
    public override object ConvertFrom(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase)
    {
        ArgumentNullException.ThrowIfNull(destinationType);
        if (!CanConvertFrom(sourceValue, destinationType))
        {
            throw new InvalidCastException(
                $"What came is not a {destinationType.Name}: it lacks one of {string.Join(", ", Needed(destinationType))}.");
        }

        var bag = (PSObject)sourceValue;
        return destinationType == typeof(Span) ? new Span(Safe.Of(SpanBag.Complete((Contracts.Span)Read(typeof(Contracts.Span), bag), bag)))
            : destinationType == typeof(Flow) ? new Flow(Safe.Of((Contracts.Flow)Read(typeof(Contracts.Flow), bag)))
            : Read(destinationType, bag) switch
            {
                CapabilityRequirement requirement => Safe.Of(requirement),
                var other => other,
            };
    }

    /// <inheritdoc/>
    public override bool CanConvertTo(object sourceValue, Type destinationType) => false;

    /// <inheritdoc/>
    public override object ConvertTo(object sourceValue, Type destinationType, IFormatProvider formatProvider, bool ignoreCase) =>
        throw new NotSupportedException();

    private static string[] Needed(Type type) => type.Name switch
    {
        nameof(Span) => ["Kind", "Start", "Duration"],
        nameof(Flow) => ["Transport", "FirstSeen", "LastSeen", "SourceAddress", "DestinationAddress"],
        nameof(CapabilityRequirement) => ["Capability", "State"],
        nameof(CapabilityUse) => ["Tracer", "Operation"],
        nameof(AgentCounters) => ["Time", "Places"],
        nameof(PlaceCount) => ["Place", "Unit", "Produced"],
        _ => throw new InvalidCastException($"{type} is no type of this module."),
    };

    private static object Read(Type type, PSObject bag)
    {
        var record = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite))
        {
            // Nothing, and the nothing of a table of texts, is what the property is without a value.
            var value = bag.Properties[property.Name]?.Value;
            if ((value is PSObject wrapped ? wrapped.BaseObject : value) is { } found and not "")
            {
                property.SetValue(record, Value(found, property.PropertyType, property.Name));
            }
        }

        return record;
    }

    private static object? Value(object value, Type type, string name)
    {
        var wanted = Nullable.GetUnderlyingType(type) ?? type;
        return value switch
        {
            _ when wanted.IsInstanceOfType(value) => value,
            _ when wanted == typeof(AttributeSet) => AttributeSet.Empty, // SpanBag reads them
            string text when wanted == typeof(DateTimeOffset) =>
                DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : throw Senseless(text, wanted, name),
            DateTime time when wanted == typeof(DateTimeOffset) => new DateTimeOffset(time),
            string text when wanted == typeof(ulong) =>
                ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Senseless(text, wanted, name),
            string text when wanted == typeof(Capability) && CapabilityNames.TryParse(text, out var capability) => capability,
            string text when wanted.IsEnum => Named(text, wanted) ?? throw Senseless(text, wanted, name),
            IEnumerable items and not string when wanted.IsGenericType => List(items, wanted.GetGenericArguments()[0]),
            _ when wanted.IsGenericType => throw Senseless(value, wanted, name),
            _ => LanguagePrimitives.ConvertTo(value, wanted, CultureInfo.InvariantCulture),
        };
    }

    // A protocol that has no name here goes by its number; of every other enumeration only the names make sense.
    private static object? Named(string text, Type type) =>
        Enum.TryParse(type, text, ignoreCase: true, out var value)
            && (type == typeof(Transport) || !char.IsAsciiDigit(value.ToString()![0])) ? value : null;

    private static Array List(IEnumerable items, Type type)
    {
        var values = items.Cast<object?>().Select(item => LanguagePrimitives.ConvertTo(item, type, CultureInfo.InvariantCulture)).ToArray();
        var list = Array.CreateInstance(type, values.Length);
        values.CopyTo(list, 0);
        return list;
    }

    private static InvalidCastException Senseless(object value, Type type, string name) =>
        new($"{name} is '{Visible.Text(value.ToString())}', which is no {type.Name}.");
}
