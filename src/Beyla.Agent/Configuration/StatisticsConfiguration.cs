namespace Beyla.Agent.Configuration;

/// <summary>TCP statistics: which are counted and where they go. Immutable.</summary>
public sealed record StatisticsConfiguration
{
    /// <summary>Whether the kernel side counts: a metric of them is wanted by somebody, or they are printed.</summary>
    public bool Enabled { get; init; }

    /// <summary>Whether they are printed as lines of text (<c>stats.print_stats</c>).</summary>
    public bool Print { get; init; }

    /// <summary>Blocks of addresses that have names (<c>stats.cidrs</c>), as <see cref="NetworkConfiguration.Cidrs"/>.</summary>
    public IReadOnlyList<NamedNetwork> Cidrs { get; init; } = [];

    /// <summary>Conditions that they must meet (<c>filter.stats</c>).</summary>
    public IReadOnlyList<AttributeCondition> Filter { get; init; } = [];
}
