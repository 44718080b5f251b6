namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>Connections that are older than the tracing: no span of a guess, and none of another's response.</summary>
public class RedisLateTests
{
    [Fact]
    public void TheFirstSpanComesWithTheSecondCommand()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a").Reply("-ERR a\r\n");
        Assert.Empty(rig.Log.Lines);
        rig.Send("GET b");
        Assert.Equal(["Complete||GET|GET a|ERR|"], rig.Log.Lines);
        rig.Reply("$-1\r\n").Send("SELECT 3").Reply("+OK\r\n").Send("GET c").Reply("$-1\r\n");
        Assert.Equal(["Complete||GET|GET b||2", "Complete||SELECT|SELECT 3||2", "Complete|3|GET|GET c||2"], rig.Log.Lines[1..]);
        rig.Close();
    }

    [Fact]
    public void TheFirstSpanComesWithTheEnd()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a", "SELECT 1", "GET b").Reply("$-1\r\n+OK\r\n:1\r\n").Close();
        Assert.Equal(["Complete||GET|GET a||2", "Complete||SELECT|SELECT 1||2", "Complete|1|GET|GET b||2"], rig.Log.Lines);
    }

    /// <summary>Nothing came for five seconds: no earlier command waits for a response, or it had come by then.</summary>
    [Fact]
    public void ALoneCommandComesWhenNothingElseDoes()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a").Reply("-ERR a\r\n");
        var end = (long)rig.Wire.Time;
        Assert.Equal(end + 5_000_000_000, rig.Redis.Due);
        rig.Tracer.Tick((ulong)end + 4_999_999_999);
        Assert.Empty(rig.Log.Lines);
        rig.Tracer.Tick((ulong)end + 5_000_000_000);
        Assert.Equal(["Complete||GET|GET a|ERR|"], rig.Log.Lines);
        Assert.Equal(end, rig.Log.Times[0].End);
        Assert.Equal(long.MaxValue, rig.Redis.Due);

        // From here on it is known what belongs together.
        rig.Send("GET b").Reply("$-1\r\n");
        Assert.Equal(["Complete||GET|GET a|ERR|", "Complete||GET|GET b||2"], rig.Log.Lines);
        rig.Close();
    }

    /// <summary>The time begins anew with each response, and with a command that waits for its own it ends nothing.</summary>
    [Fact]
    public void WhileAResponseIsMissingNothingComes()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a", "GET b").Reply("$-1\r\n");
        rig.Tracer.Tick(rig.Wire.Time + 6_000_000_000);
        Assert.Empty(rig.Log.Lines);
        rig.Wire.Time += 6_000_000_000;
        rig.Reply("-ERR b\r\n");
        rig.Tracer.Tick(rig.Wire.Time + 4_000_000_000);
        Assert.Empty(rig.Log.Lines);
        rig.Tracer.Tick(rig.Wire.Time + 5_000_000_000);
        Assert.Equal(["Complete||GET|GET a||2", "Complete||GET|GET b|ERR|2"], rig.Log.Lines);
        rig.Close();
    }

    /// <summary>What blocks may still do so, and the response was that of an earlier command.</summary>
    [Theory]
    [InlineData("BLPOP a 0")]
    [InlineData("XREAD BLOCK 0 STREAMS a $")]
    [InlineData("WAIT 1 0")]
    public void ABlockingCommandWaitsForTheNext(string command)
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send(command).Reply("-ERR earlier\r\n");
        rig.Tracer.Tick(rig.Wire.Time + 60_000_000_000);
        Assert.Empty(rig.Log.Lines);
        rig.Wire.Time += 60_000_000_000;
        rig.Reply("*-1\r\n");
        Assert.Equal(1, rig.Redis.Count().Lost);
        rig.Close();
        Assert.Empty(rig.Log.Lines);
    }

    [Fact]
    public void OneResponseTooManyWithinTheTimeIsOneTooMany()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a").Reply("-ERR earlier\r\n");
        rig.Wire.Time += 4_000_000_000;
        rig.Reply("$1\r\na\r\n");
        rig.Tracer.Tick(rig.Wire.Time + 60_000_000_000);
        Assert.Empty(rig.Log.Lines);
        Assert.Equal(1, rig.Redis.Count().Lost);
        rig.Close();
    }

    [Fact]
    public void ALateResponseOfAnEarlierCommandIsNobodys()
    {
        var rig = new RedisRig(isFresh: false);
        // Two commands were on their way when the tracing began.
        rig.Send("GET a").Reply("-ERR earlier\r\n-ERR too\r\n$1\r\na\r\n");
        rig.Send("GET b").Reply("$-1\r\n").Send("GET c").Reply("$-1\r\n");
        Assert.Equal(["Complete||GET|GET b||2", "Complete||GET|GET c||2"], rig.Log.Lines);
        Assert.Equal(1, rig.Redis.Count().Lost);
        rig.Close();
    }

    [Fact]
    public void AResponseThatLooksLikeACommandDoesNotInvertTheSides()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Reply("*2\r\n$3\r\nget\r\n$3\r\nset\r\n");
        rig.Send("LRANGE l 0 1").Reply("*1\r\n$5\r\nvalue\r\n").Send("GET a").Reply("$-1\r\n").Send("GET b").Reply("$-1\r\n");
        Assert.Equal(["Complete||GET|GET a||2", "Complete||GET|GET b||2"], rig.Log.Lines);
        Assert.Equal(SpanKind.Server, rig.Log.Kind);
        rig.Close();
    }

    [Fact]
    public void OneCommandWithoutAResponseIsNoSpan()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("GET a").Close();
        Assert.Empty(rig.Log.Lines);
        Assert.Equal(1, rig.Redis.Count().Lost);
    }

    [Fact]
    public void GarbageLeavesNothing()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Raw('>', "*1\r\n$4\r\nPING\r\ngarbage").Raw('>', "garbage").Reply("garbage");
        rig.Close();
        Assert.Empty(rig.Log.Lines);
    }

    [Fact]
    public void MessagesAreNoResponsesOfAPing()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("PING").Reply("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n");
        rig.Reply("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n");
        rig.Close();
        Assert.All(rig.Log.Lines, l => Assert.Equal("Complete||PING|PING||", l));
    }

    [Fact]
    public void AConfirmationOfASubscriptionIsCertain()
    {
        var rig = new RedisRig(isFresh: false);
        rig.Send("SUBSCRIBE a").Reply("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
        Assert.Equal(["Complete||SUBSCRIBE|SUBSCRIBE a||"], rig.Log.Lines);
        rig.Close();
    }
}
