namespace Beyla.Live.Tests.Context;

/// <summary>What a service does for a request <c>GET /in/ID</c> besides its one call <c>GET /out/ID</c>.</summary>
public enum Nesting
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>It waits ID % 7 ms before the call, by a timer of its runtime: requests overtake each other.</summary>
    Before,

    /// <summary>It waits ID % 7 ms after the call.</summary>
    After,

    /// <summary>It makes two calls one after the other, <c>/out/ID/1</c> and <c>/out/ID/2</c>.</summary>
    Two,
}

/// <summary>One measurement: how the requests come to a service, and what it does for them.</summary>
/// <param name="Nesting">What the service does.</param>
/// <param name="Concurrency">How many requests are under way at a time.</param>
/// <param name="KeepAlive">Whether a connection carries many requests.</param>
/// <param name="Traced">Whether the requests come with a <c>traceparent</c>, as from a service that has an SDK.</param>
/// <param name="Requests">How many there are.</param>
internal sealed record LoadCase(Nesting Nesting, int Concurrency, bool KeepAlive = true, bool Traced = false, int Requests = 1000)
{
    /// <summary>How many calls the service makes for all of them.</summary>
    public int Calls => Requests * CallsOfEach;

    /// <summary>How many calls it makes for one.</summary>
    public int CallsOfEach => Nesting == Nesting.Two ? 2 : 1;

    /// <summary>For tables: <c>timer before the call</c>.</summary>
    public string Describe()
    {
        string nesting = Nesting switch
        {
            Nesting.Before => "timer before the call",
            Nesting.After => "timer after the call",
            Nesting.Two => "two calls",
            _ => "",
        };
        return string.Join(", ", new[] { nesting, KeepAlive ? "" : "no keep-alive", Traced ? "with `traceparent`" : "" }
            .Where(part => part.Length > 0).DefaultIfEmpty("one call"));
    }
}
