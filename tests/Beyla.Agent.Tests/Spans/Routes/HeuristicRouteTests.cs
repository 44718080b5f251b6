using System.Text;
using Beyla.Agent.Spans.Routes;
using Xunit.Abstractions;

namespace Beyla.Agent.Tests.Spans.Routes;

public sealed class HeuristicRouteTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("", "/")]
    [InlineData("//a///b//", "/a/b")]
    [InlineData("/cart;jsessionid=1A530637289A03B07199A44E8D531427/view", "/cart/view")]
    [InlineData("/items/-17", "/items/*")]
    [InlineData("/items/3.14", "/items/*")]
    [InlineData("/items/2024-05-17T10:00:00Z", "/items/*")]
    [InlineData("/items/123e4567-e89b-12d3-a456-426614174000", "/items/*")]
    [InlineData("/item/deadbeef0", "/item/*")]
    [InlineData("/mail/a@b.example", "/mail/*")]
    [InlineData("/word/Gr%C3%BC%C3%9Fe", "/word/*")]
    [InlineData("/word/naïve", "/word/*")]
    [InlineData("/token/bcdfghjkl", "/token/*")]
    [InlineData("/token/aBcDeFgHiJkLmN", "/token/*")]
    [InlineData("/v1beta1/oauth2/sha256", "/v1beta1/oauth2/sha256")]
    [InlineData("/v123456789/x", "/*/x")]
    [InlineData("/users/octocat/search", "/users/*/search")]
    [InlineData("/users/search", "/users/search")]
    [InlineData("/status/ready", "/status/ready")]
    public void Values_become_the_wildcard(string path, string route) => Assert.Equal(route, Guess(path));

    [Fact]
    public void A_long_path_ends_in_a_wildcard()
    {
        var path = string.Concat(Enumerable.Repeat("/a", 40));
        Assert.Equal(string.Concat(Enumerable.Repeat("/a", HeuristicRoute.MaximumSegments)) + "/*", Guess(path));
        Span<byte> route = new byte[16];
        var length = HeuristicRoute.Write("/abcdefgh/ijklmnopq/rs"u8, (byte)'*', route);
        Assert.Equal("/abcdefgh/*", Encoding.UTF8.GetString(route[..length]));
    }

    /// <summary>
    /// The figures of docs/routes.md. Too fine is what makes names without end, too coarse is what puts two routes into one. The list that
    /// nobody looked at for a rule is the one that counts; what is asserted leaves it a path or two of room.
    /// </summary>
    [Fact]
    public void The_guess_is_right_for_most_real_paths()
    {
        var tuned = Measure([.. KnownPath.All.Where(static path => path.IsTuned)], "tuned");
        var held = Measure([.. KnownPath.All.Where(static path => !path.IsTuned)], "held out");
        Assert.True(KnownPath.All.Count >= 300);
        Assert.InRange(tuned.Right, 0.80, 1);
        Assert.InRange(held.Right, 0.70, 1);
        Assert.InRange(held.Fine, 0, 0.20);
        Assert.InRange(held.Coarse, 0, 0.13);
    }

    private Figures Measure(IReadOnlyList<KnownPath> paths, string name)
    {
        var (right, fine, coarse) = (0, 0, 0);
        var confusion = new int[2, 2];
        foreach (var known in paths)
        {
            var guess = Guess(known.Path);
            string[] expected = known.Route.Split('/'), got = guess.Split('/');
            Assert.Equal(expected.Length, got.Length);
            var (isFine, isCoarse) = (false, false);
            for (var i = 1; i < expected.Length; i++)
            {
                if (expected[i].Length > 0)
                {
                    confusion[expected[i] == "*" ? 1 : 0, got[i] == "*" ? 1 : 0]++;
                }

                isFine |= expected[i] == "*" && got[i] != "*";
                isCoarse |= expected[i] != "*" && got[i] == "*";
            }

            right += isFine || isCoarse ? 0 : 1;
            fine += isFine ? 1 : 0;
            coarse += isCoarse ? 1 : 0;
            if (known.IsTuned && (isFine || isCoarse))
            {
                output.WriteLine($"  {(isFine ? "too fine" : "too coarse")}: {known.Path} -> {guess}");
            }
        }

        output.WriteLine(FormattableString.Invariant($"{name}: {paths.Count} paths, right {right} ({100.0 * right / paths.Count:F1} %), ")
            + FormattableString.Invariant($"too fine {fine}, too coarse {coarse}"));
        var all = Array.ConvertAll([.. paths], static path => Encoding.UTF8.GetBytes(path.Path));
        var (room, rounds) = (new byte[1024], 200);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < rounds * all.Length; i++)
        {
            _ = HeuristicRoute.Write(all[i % all.Length], (byte)'*', room);
        }

        output.WriteLine(FormattableString.Invariant($"  {clock.Elapsed.TotalNanoseconds / rounds / all.Length:F0} ns for a path"));
        output.WriteLine($"  segments: word kept {confusion[0, 0]}, word lost {confusion[0, 1]}, "
            + $"value found {confusion[1, 1]}, value missed {confusion[1, 0]}");
        return new Figures((double)right / paths.Count, (double)fine / paths.Count, (double)coarse / paths.Count);
    }

    private static string Guess(string path)
    {
        var route = new byte[1024];
        return Encoding.UTF8.GetString(route, 0, HeuristicRoute.Write(Encoding.UTF8.GetBytes(path), (byte)'*', route));
    }

    private sealed record Figures(double Right, double Fine, double Coarse);
}
