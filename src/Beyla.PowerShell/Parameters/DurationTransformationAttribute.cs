using System.Globalization;
using System.Management.Automation;

namespace Beyla.PowerShell.Parameters;

/// <summary>
/// Lets a duration be written as people say it: <c>30s</c>, <c>5m</c>, <c>500ms</c>, <c>1h</c>; a bare number counts seconds, where
/// PowerShell alone would count 100 ns.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class DurationTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            // To PowerShell 1.5s is a short and 1d a decimal, rounded; what was typed is still there.
            short or decimal when inputData is PSObject typed && DurationText.Seconds(typed.ToString()) is { } seconds =>
                Positive(seconds, inputData),
            int or long or short or byte or double or float or decimal =>
                Positive(Convert.ToDouble(value, CultureInfo.InvariantCulture), inputData),
            string text when DurationText.Seconds(text) is { } seconds => Positive(seconds, inputData),
            TimeSpan span => Positive(span.TotalSeconds, inputData),
            string text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) => Positive(span.TotalSeconds, inputData),
            string text => throw new ArgumentTransformationMetadataException($"'{text}' is not a duration such as 30s, 5m or 0:0:30."),
            _ => inputData,
        };
    }

    private static TimeSpan Positive(double seconds, object input) => seconds > 0 && seconds <= TimeSpan.MaxValue.TotalSeconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new ArgumentTransformationMetadataException($"'{input}' is not a duration above zero.");
}
