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
