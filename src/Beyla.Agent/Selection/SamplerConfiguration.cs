using System.Globalization;

namespace Beyla.Agent.Selection;

/// <summary>How a trace without a parent is decided.</summary>
public enum SamplerKind : byte
{
    /// <summary>All.</summary>
    AlwaysOn,

    /// <summary>None.</summary>
    AlwaysOff,

    /// <summary>A part, by the identity of the trace.</summary>
    TraceIdRatio,
}

/// <summary>
/// A sampler by its standard name (OpenTelemetry specification, Environment Variable Specification, OTEL_TRACES_SAMPLER):
/// <c>always_on</c>, <c>always_off</c>, <c>traceidratio</c>, and each behind <c>parentbased_</c>.
/// </summary>
/// <param name="Kind">How a trace is decided.</param>
/// <param name="IsParentBased">Whether the flag of the parent decides where there is one.</param>
/// <param name="Ratio">The part that is taken, 0 to 1; 1 and 0 for those that take all or none.</param>
public sealed record SamplerConfiguration(SamplerKind Kind, bool IsParentBased, double Ratio)
{
    private const string ParentBased = "parentbased_";

    /// <summary>parentbased_always_on.</summary>
    public static SamplerConfiguration Default { get; } = new(SamplerKind.AlwaysOn, true, 1);

    /// <summary>Reads the two values.</summary>
    /// <param name="name">The name, in any case of letters; empty is the default.</param>
    /// <param name="argument">The ratio, 0 to 1; empty is 1. Other samplers do not look at it.</param>
    /// <param name="sampler">The default where something is wrong with the name, all where it is with the ratio.</param>
    /// <returns>What is wrong, as the end of a sentence; null where nothing is.</returns>
    public static string? Read(string name, string argument, out SamplerConfiguration sampler)
    {
        sampler = Default;
        name = name.Trim().ToLowerInvariant();
        if (name.Length == 0)
        {
            return null;
        }

        var isParentBased = name.StartsWith(ParentBased, StringComparison.Ordinal);
        switch (isParentBased ? name[ParentBased.Length..] : name)
        {
            case "always_on":
                sampler = new(SamplerKind.AlwaysOn, isParentBased, 1);
                return null;
            case "always_off":
                sampler = new(SamplerKind.AlwaysOff, isParentBased, 0);
                return null;
            case "traceidratio":
                sampler = new(SamplerKind.TraceIdRatio, isParentBased, 1);
                break;
            default:
                return "always_on, always_off, traceidratio or one of them behind parentbased_ is expected";
        }

        if (argument.Trim().Length == 0)
        {
            return null;
        }

        if (!double.TryParse(argument.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) || !(ratio is >= 0 and <= 1))
        {
            return "the argument is a number from 0 to 1";
        }

        sampler = sampler with { Ratio = ratio };
        return null;
    }
}
