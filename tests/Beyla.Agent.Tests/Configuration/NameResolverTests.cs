using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>Names of the other side in metrics.</summary>
public sealed class NameResolverTests
{
    [Fact]
    public void Nobody_is_asked_unless_somebody_says_so()
    {
        var loaded = Loaded.From();
        Assert.Null(loaded.Configuration.Metrics.Names);
        Assert.Empty(loaded.Warnings);
    }

    [Fact]
    public void The_resolver_of_the_host_is_asked()
    {
        var loaded = Loaded.From("name_resolver: {sources: [dns], cache_len: 7, cache_expiry: 90s}\n");
        Assert.Equal(new NameResolverConfiguration(7, TimeSpan.FromSeconds(90)), loaded.Configuration.Metrics.Names);
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("k8s", "Kubernetes")]
    [InlineData("rdns", "dns asks")]
    public void A_source_that_is_not_there_is_told(string source, string reason)
    {
        var loaded = Loaded.Environment(("BEYLA_NAME_RESOLVER_SOURCES", $"{source},dns"));
        Assert.NotNull(loaded.Configuration.Metrics.Names);
        Assert.Contains(reason, Assert.Single(loaded.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BEYLA_NAME_RESOLVER_SOURCES", "hosts")]
    [InlineData("BEYLA_NAME_RESOLVER_CACHE_LEN", "0")]
    [InlineData("BEYLA_NAME_RESOLVER_CACHE_TTL", "0s")]
    public void What_cannot_be_used_is_a_problem(string variable, string value) =>
        Assert.Contains(variable, Assert.Single(Loaded.Environment((variable, value)).Problems), StringComparison.Ordinal);

    /// <summary>The setting for one side goes before the one for both.</summary>
    [Theory]
    [InlineData("", "incoming", "outgoing")]
    [InlineData("attributes: {rename_unresolved_hosts: other}", "other", "other")]
    [InlineData("attributes: {rename_unresolved_hosts: other, rename_unresolved_hosts_outgoing: out}", "other", "out")]
    [InlineData("attributes: {rename_unresolved_hosts_incoming: in}", "in", "outgoing")]
    public void Names_of_sides_without_a_name(string yaml, string client, string server)
    {
        var metrics = Loaded.From(yaml + "\n").Configuration.Metrics;
        Assert.Equal((client, server), (metrics.UnresolvedClient, metrics.UnresolvedServer));
    }

    [Fact]
    public void An_address_is_never_the_name() =>
        Assert.Contains("never the address", Assert.Single(
            Loaded.From("attributes: {rename_unresolved_hosts: ''}\n").Problems.Distinct()), StringComparison.Ordinal);
}
