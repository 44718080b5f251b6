using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Context;

/// <summary>
/// Which request a call belongs to, for services of many runtimes side by side on two processors. The truth is an id in the path, which the
/// agent does not look at. What is said to be certain is never wrong, and what is a guess hardly ever.
/// </summary>
public sealed class ParentTests(NestingServices services) : IClassFixture<NestingServices>
{
    /// <summary>So many requests of a process are seen before a call may wait for what its thread does next: all calls of these.</summary>
    private const int Unknown = 16;

    [ParentTheory]
    [InlineData(Nesting.Before, 1, 200)]
    [InlineData(Nesting.Plain, 16, 1000)]
    [InlineData(Nesting.Before, 16, 1000)]
    [InlineData(Nesting.Two, 16, 500)]
    [InlineData(Nesting.After, 64, 1000)]
    public async Task Calls_have_the_request_that_made_them_or_none(Nesting nesting, int concurrency, int requests)
    {
        LoadCase load = new(nesting, concurrency, Requests: requests);
        Check(load, await services.MeasureAsync(load, service => !service.IsProxy || nesting == Nesting.Plain), _ => false);
    }

    [ParentTheory]
    [InlineData(16, 300)]
    public async Task Without_keep_alive(int concurrency, int requests)
    {
        LoadCase load = new(Nesting.Before, concurrency, KeepAlive: false, Requests: requests);
        Check(load, await services.MeasureAsync(load, service => !service.IsProxy), _ => false);
    }

    /// <summary>A call with the traceparent of a request is a call of that request, whatever the threads do.</summary>
    [ParentTheory]
    [InlineData(16, 500)]
    public async Task Requests_that_come_with_a_trace(int concurrency, int requests)
    {
        LoadCase load = new(Nesting.Plain, concurrency, Traced: true, Requests: requests);
        Check(load, await services.MeasureAsync(load, _ => true), service => service.CarriesTrace);
    }

    private static void Check(
        LoadCase load, IReadOnlyList<(NestingService Service, Score Score)> measured, Func<NestingService, bool> alsoExact)
    {
        string faults = string.Concat(measured.Select(one => Faults(load, one.Service, one.Score, alsoExact(one.Service))));
        if (measured.Sum(one => one.Score.ProbableWrong) * 100 > measured.Sum(one => one.Score.Probable))
        {
            faults += "all services: more than 1 % of the guesses are wrong";
        }

        Assert.True(faults.Length == 0, $"{load}\n{faults}");
    }

    private static string Faults(LoadCase load, NestingService service, Score score, bool alsoExact)
    {
        List<string> faults = [];
        void Demand(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }

        Demand(
            score.Missing == 0 && score.Calls == load.Calls,
            $"not {load.Requests} requests and {load.Calls} calls");
        Demand(score.Broken == 0, "spans whose ids are not what they must be");
        Demand(score.ExactWrong == 0, "wrong, but said to be certain");
        // One in a hundred, and one where there are fewer: some services make a handful of guesses in all.
        Demand(score.ProbableWrong <= Math.Max(1, score.Probable / 100), "more than 1 % of the guesses are wrong");
        Demand(
            !(service.Exclusive || alsoExact) || (score.ExactRight + (Unknown * load.CallsOfEach)) * 100 >= score.Calls * 99,
            "less than 99 % are certain");
        return faults.Count == 0 ? "" : $"{service.Name}: {string.Join("; ", faults)}: {score}\n{score.Examples}";
    }
}

/// <summary><see cref="LiveTheoryAttribute"/> that needs what the services need.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ParentTheoryAttribute : TheoryAttribute
{
    public ParentTheoryAttribute()
    {
        Skip = LiveConditions.ReasonToSkip(NestingService.Needs);
        Timeout = LiveConditions.Limit;
    }
}
