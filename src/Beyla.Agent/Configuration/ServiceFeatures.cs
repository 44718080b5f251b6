using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Names of the groups of metrics that a service may have for itself (<c>discovery.instrument[].metrics.features</c>): those that are made
/// of spans. Flows, TCP statistics and the host belong to no service.
/// </summary>
internal static class ServiceFeatures
{
    /// <summary>Each group by its name: that of <see cref="MetricFeatures"/> in lower case, words behind an underscore.</summary>
    private static readonly Dictionary<string, MetricFeatures> Known = Enum.GetValues<MetricFeatures>()
        .Where(static feature => int.IsPow2((int)feature)).ToDictionary(static feature => NameOf(feature.ToString()));

    /// <summary>All names that mean something here.</summary>
    public static IEnumerable<string> Names =>
        Known.Where(static pair => (pair.Value & MetricFeatures.OfSpans) != 0).Select(static pair => pair.Key);

    /// <summary>Whether it is a group of metrics at all.</summary>
    public static bool IsKnown(string name) => name is "all" or "*" || Known.ContainsKey(name);

    /// <summary>The groups of a list of names; those of no service are left out.</summary>
    public static MetricFeatures Of(IEnumerable<string> names) => MetricFeatures.OfSpans & names.Aggregate(
        MetricFeatures.None,
        static (sum, name) => sum | (name is "all" or "*" ? MetricFeatures.All : Known.GetValueOrDefault(name)));

    private static string NameOf(string member)
    {
        var name = new StringBuilder();
        foreach (var letter in member)
        {
            _ = char.IsUpper(letter) && name.Length > 0 ? name.Append('_') : name;
            name.Append(char.ToLowerInvariant(letter));
        }

        return name.ToString();
    }
}
