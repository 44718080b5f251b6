using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell;

/// <summary>
/// Finds the attributes of a span in what Import-Clixml, remoting, ConvertFrom-Json and Import-Csv leave of it: a hashtable, an object or
/// JSON text in the property Attributes. The properties that show one attribute each go before it: rows of an earlier version have only
/// those, and who edits a row edits those.
/// </summary>
internal static class SpanBag
{
    /// <summary>The span with its attributes.</summary>
    /// <exception cref="InvalidCastException">They are none.</exception>
    internal static Contracts.Span Complete(Contracts.Span span, PSObject bag)
    {
        var values = new List<KeyValuePair<string, object?>>(All(bag.Properties[nameof(Span.Attributes)]?.Value));
        foreach (var row in SpanAttributes.All.Where(static row => row is { IsEnvelope: false, ShortName: not null }))
        {
            Add(values, row.ShortName!, row.Attribute, bag, span.Protocol);
        }

        try
        {
            return span with { Attributes = AttributeSet.Of(values) };
        }
        catch (FormatException error)
        {
            throw Senseless(error);
        }
    }

    private static void Add(
        List<KeyValuePair<string, object?>> values, string property, SpanAttribute attribute, PSObject bag, string protocol)
    {
        var isStatus = property == SpanAttributes.Of(SpanAttribute.HttpResponseStatusCode).ShortName;
        var value = bag.Properties[property]?.Value is { } found ? Convert.ToString(Bare(found), CultureInfo.InvariantCulture) : null;
        if (!string.IsNullOrEmpty(value) && !(isStatus && value == "0"))
        {
            var name = SpanAttributes.Of(isStatus ? SpanProtocol.Of(protocol).Status : attribute).Name;
            values.Add(KeyValuePair.Create(name, (object?)value));
        }
    }

    private static IEnumerable<KeyValuePair<string, object?>> All(object? value) => Bare(value) switch
    {
        null or "" => [],
        AttributeSet set => set.Select(static pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)),
        string json => Parsed(json),
        IDictionary table => table.Keys.Cast<object>().Select(key => KeyValuePair.Create($"{key}", Simple(table[key]))),
        _ when value is PSObject row => row.Properties.Select(static one => KeyValuePair.Create(one.Name, Simple(one.Value))),
        _ => throw Senseless(null),
    };

    private static IEnumerable<KeyValuePair<string, object?>> Parsed(string json)
    {
        try
        {
            return All(AttributeSet.Parse(json));
        }
        catch (FormatException error)
        {
            throw Senseless(error);
        }
    }

    // What is no text and no number is no attribute.
    private static object? Simple(object? value) => Bare(value) is IConvertible simple ? simple : null;

    private static object? Bare(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    private static InvalidCastException Senseless(Exception? error) =>
        new($"Attributes are no table of texts and numbers. {Visible.Text(error?.Message)}", error);
}
