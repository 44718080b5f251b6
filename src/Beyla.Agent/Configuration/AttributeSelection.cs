using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Which attributes metrics and spans have (<c>attributes.select</c>): sections by the name of a metric, or <c>traces</c>, each with
/// attributes that are included and excluded. Names may be globs, and have dots or underscores, as OpenTelemetry and Prometheus have them.
/// Immutable but for what it remembers of its use; one thread.
/// </summary>
public sealed class AttributeSelection
{
    private readonly Section[] sections;

    /// <param name="sections">Patterns go before names, and short ones before long ones: the last one decides.</param>
    internal AttributeSelection(IEnumerable<Section> sections) =>
        this.sections = [.. sections.OrderBy(static section => !section.IsPattern).ThenBy(static section => section.Name.Length)];

    /// <summary>All have what they have by default.</summary>
    public static AttributeSelection None { get; } = new([]);

    /// <summary>Names of sections that no metric was asked for by, and so have no effect.</summary>
    public IEnumerable<string> Unused => sections.Where(static section => !section.IsUsed).Select(static section => section.Name);

    /// <summary>Whether an attribute is part of a metric.</summary>
    /// <param name="names">All its names: <c>http.server.request.duration</c>, <c>http_server_request_duration_seconds</c>.</param>
    /// <param name="attribute">OpenTelemetry name of the attribute.</param>
    /// <param name="isDefault">Whether it is where nobody says anything.</param>
    public bool HasMetric(IEnumerable<string> names, string attribute, bool isDefault) =>
        Has(names, attribute, isDefault, isWhole: true);

    /// <summary>
    /// Whether an attribute is part of spans. Other than for metrics, what is included is added to what they have by default.
    /// </summary>
    /// <param name="attribute">OpenTelemetry name.</param>
    /// <param name="isDefault">Whether it is where nobody says anything.</param>
    public bool HasSpan(string attribute, bool isDefault) => Has(["traces"], attribute, isDefault, isWhole: false);

    /// <summary>Dots and underscores are the same.</summary>
    internal static string Plain(string name) => name.Replace('.', '_');

    private bool Has(IEnumerable<string> names, string attribute, bool isDefault, bool isWhole)
    {
        var result = isDefault;
        foreach (var section in sections)
        {
            if (!names.Any(section.IsOf))
            {
                continue;
            }

            section.IsUsed = true;
            result = section.Include.Count == 0 ? result : Any(section.Include, attribute) || (result && !isWhole);
            result = result && !Any(section.Exclude, attribute);
        }

        return result;
    }

    private static bool Any(IReadOnlyList<Glob> globs, string attribute) => globs.Any(glob => glob.IsMatch(Plain(attribute)));

    /// <summary>What is said of some metrics.</summary>
    /// <param name="Name">The name or glob, as it was written.</param>
    /// <param name="Pattern">Compiled, with <see cref="Plain"/> names.</param>
    /// <param name="Include">Attributes that there are; empty for the default.</param>
    /// <param name="Exclude">Attributes of these that there are not.</param>
    internal sealed record Section(string Name, Glob Pattern, IReadOnlyList<Glob> Include, IReadOnlyList<Glob> Exclude)
    {
        public bool IsPattern { get; } = Name.AsSpan().ContainsAny("*?[{");

        public bool IsUsed { get; set; }

        /// <summary>The word for spans is meant where it is said: a pattern that fits all metrics does not mean it.</summary>
        public bool IsOf(string name) => name == "traces" ? Name == "traces" : Pattern.IsMatch(Plain(name));
    }
}
