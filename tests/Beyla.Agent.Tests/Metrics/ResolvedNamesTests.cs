using Beyla.Agent.Configuration;
using Beyla.Agent.Metrics;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>Names of addresses that requests do not name (<c>name_resolver</c>, <c>attributes.rename_unresolved_hosts</c>).</summary>
public sealed class ResolvedNamesTests
{
    private const string Client = "http_client_request_duration_seconds_count", Edges = "traces_service_graph_request_total";

    private const int Before = 6;

    /// <summary>What a name server may say: a name, nothing, and what must not become a label.</summary>
    private static readonly Dictionary<string, string?> Known = new()
    {
        ["10.0.0.1"] = "db.example.org", ["10.0.0.2"] = null, ["10.0.0.3"] = "two\nlines", ["10.0.0.4"] = "10.0.0.4",
        ["10.0.0.5"] = new string('a', 254),
    };

    [Fact]
    public void A_client_has_the_resolved_name_of_a_server_that_it_names_by_address()
    {
        var rig = Rig(MetricFeatures.Application);
        foreach (var address in Known.Keys)
        {
            rig.Add(Call(address));
        }

        Assert.Equal(1, rig.One(Client, "server_address=\"db.example.org\"", "server_port=\"8080\""));
        Assert.Equal(Before + 4, rig.One(Client, "server_address=\"outgoing\"", "server_port=\"8080\""));
    }

    /// <summary>What the request itself says is what its sender meant.</summary>
    [Fact]
    public void A_name_that_a_request_has_stays()
    {
        var rig = Rig(MetricFeatures.Application);
        rig.Add(Call("10.0.0.1").With(SpanAttribute.HttpRequestHeaderHost, "orders:81"));
        Assert.Equal(1, rig.One(Client, "server_address=\"orders\"", "server_port=\"81\""));
    }

    /// <summary>The end of the socket: a client that a proxy names may be anybody.</summary>
    [Fact]
    public void The_service_graph_has_the_peer_of_a_server_and_the_server_of_a_client()
    {
        var rig = Rig(MetricFeatures.ApplicationServiceGraph);
        rig.Add(Samples.Broken with
        {
            PeerAddress = Samples.At("10.0.0.1"), ClientAddress = Samples.At("10.0.0.2"), IsClientNamed = true,
        });
        rig.Add(Call("10.0.0.1"));
        rig.Add(Call("10.0.0.2"));
        Assert.Equal(1, rig.One(Edges, "client=\"db.example.org\"", "server=\"nginx\""));
        Assert.Equal(1, rig.One(Edges, "client=\"web\"", "server=\"db.example.org\""));
        Assert.Equal(Before + 1, rig.One(Edges, "client=\"web\"", "server=\"outgoing\""));
    }

    [Fact]
    public void What_stands_for_sides_without_a_name_can_be_chosen()
    {
        var rig = new MetricRig(new MetricSetup
        {
            Features = MetricFeatures.Application | MetricFeatures.ApplicationServiceGraph, UnresolvedClient = "somebody",
            UnresolvedServer = "elsewhere",
        });
        rig.Add(Samples.Broken);
        rig.Add(Call("10.0.0.2"));
        Assert.Equal(1, rig.One(Edges, "client=\"somebody\"", "server=\"nginx\""));
        Assert.Equal(1, rig.One(Edges, "client=\"web\"", "server=\"elsewhere\""));
        Assert.Equal(1, rig.One(Client, "server_address=\"elsewhere\""));
    }

    private static SpanData Call(string server) => (Samples.Client with { ServerAddress = Samples.At(server), ServerPort = 8080 })
        .With(SpanAttribute.HttpRequestHeaderHost, server);

    /// <summary>
    /// One whose resolver has answered for each address. It begins to look for one when that is seen first, so there were
    /// <see cref="Before"/> calls to servers without a name.
    /// </summary>
    private static MetricRig Rig(MetricFeatures features)
    {
        using var last = new ManualResetEventSlim();
        var rig = new MetricRig(new MetricSetup
        {
            Features = features, Names = new NameResolverConfiguration(100, TimeSpan.FromHours(1)),
            Resolve = address =>
            {
                if (Known.TryGetValue(address.ToString(), out var name))
                {
                    return name;
                }

                last.Set(); // one after the other: those before it are remembered
                return null;
            },
        });
        foreach (var address in (string[])[.. Known.Keys, "10.9.9.9"])
        {
            rig.Add(Call(address));
        }

        Assert.True(last.Wait(60_000));
        return rig;
    }
}
