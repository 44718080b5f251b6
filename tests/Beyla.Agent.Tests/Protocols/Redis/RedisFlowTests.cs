using Beyla.Agent.Protocols.Redis;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>
/// The n-th response belongs to the n-th command, whatever comes between them
/// (https://redis.io/docs/latest/develop/reference/protocol-spec, and the pages of CLIENT REPLY, SUBSCRIBE, EXEC).
/// </summary>
public class RedisFlowTests
{
    private const string C = "Complete|0|";

    [Fact]
    public void APipelineOfThousandsHasASpanAndAnEndForEach()
    {
        var rig = new RedisRig();
        for (var i = 0; i < 5000; i += 1000)
        {
            rig.Send([.. Enumerable.Range(i, 1000).Select(n => n == 2500 ? "INCR text" : $"GET key{n}")]);
        }

        for (var i = 0; i < 5000; i++)
        {
            rig.Reply(i == 2500 ? "-ERR value is not an integer or out of range\r\n" : i % 2 == 0 ? "$2\r\nok\r\n" : "$-1\r\n");
        }

        Assert.Equal(5000, rig.Log.Lines.Count);
        Assert.Equal(C + "INCR|INCR text|ERR|2", rig.Log.Lines[2500]);
        Assert.Equal(C + "GET|GET key4999||2", rig.Log.Lines[4999]);
        Assert.Single(rig.Log.Lines, l => l.Contains("ERR", StringComparison.Ordinal));
        Assert.Equal(5000, rig.Log.Times.Select(t => t.End).Distinct().Count());
        Assert.Equal(5, rig.Log.Times.Select(t => t.Start).Distinct().Count());
        rig.Close();
    }

    [Fact]
    public void WhatHasNoRoomIsCountedAndItsResponsePassedOver()
    {
        var rig = new RedisRig(options: new RedisOptions { MaxPipelined = 3 });
        rig.Send("GET a", "GET b", "GET c", "SELECT 4", "GET e").Reply("+a\r\n-ERR b\r\n");
        rig.Send("GET f").Reply("$1\r\nc\r\n+OK\r\n-ERR e\r\n-WRONGTYPE f\r\n").Send("GET g").Reply(":1\r\n");
        Assert.Equal(
            [
                "Complete||GET|GET a||2", "Complete||GET|GET b|ERR|2", "Complete||GET|GET c||2", "Complete||GET|GET f|WRONGTYPE|2",
                "Complete||GET|GET g||2",
            ],
            rig.Log.Lines);
        Assert.Equal(2, rig.Redis.Count().Lost);
        rig.Close();
    }

    [Fact]
    public void AnswersOfAnyDepthAreOne()
    {
        var rig = new RedisRig();
        rig.Send("EVAL script 0", "XREAD STREAMS s 0", "GET a", "HGETALL h", "GET b");
        rig.Reply("*2\r\n*3\r\n:1\r\n*0\r\n*2\r\n$1\r\nx\r\n-ERR inside\r\n%1\r\n+k\r\n~2\r\n#t\r\n,1.5\r\n");
        rig.Reply("*-1\r\n|1\r\n+ttl\r\n*1\r\n:5\r\n(3492890328409238509324850943850943825024385\r\n");
        rig.Reply("=15\r\ntxt:Some string\r\n$?\r\n;4\r\nHell\r\n;2\r\no!\r\n;0\r\n");
        Assert.Equal(5, rig.Log.Lines.Count);
        Assert.All(rig.Log.Lines, l => Assert.StartsWith("Complete|0|", l, StringComparison.Ordinal));
        rig.Close();
    }

    [Fact]
    public void ErrorsOfBothVersionsAreTheirFirstWord()
    {
        var rig = new RedisRig();
        rig.Send("GET a", "GET b", "GET c", "GET d", "GET e");
        rig.Reply("-MOVED 3999 127.0.0.1:6381\r\n!21\r\nSYNTAX invalid syntax\r\n-CLUSTERDOWN\r\n-user 4711 is not known\r\n-\r\n");
        Assert.Equal(
            [
                C + "GET|GET a|MOVED|2", C + "GET|GET b|SYNTAX|3", C + "GET|GET c|CLUSTERDOWN|3", C + "GET|GET d||3|_OTHER",
                C + "GET|GET e||3|_OTHER",
            ],
            rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void PushesAreNoResponses()
    {
        var rig = new RedisRig();
        rig.Send("HELLO 3").Reply("%1\r\n+proto\r\n:3\r\n");
        rig.Send("SUBSCRIBE a b", "GET k").Reply(">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\n*1\r\r\n");
        Assert.Single(rig.Log.Lines);
        rig.Reply(">3\r\n+subscribe\r\n+b\r\n:2\r\n>2\r\n+invalidate\r\n*1\r\n+k\r\n-ERR k\r\n");
        Assert.Equal([C + "SUBSCRIBE|SUBSCRIBE a b||3", C + "GET|GET k|ERR|3"], rig.Log.Lines[1..]);
        rig.Close();
    }

    [Fact]
    public void ASubscribedConnectionHasNoSpansOfMessages()
    {
        var rig = new RedisRig();
        rig.Send("PSUBSCRIBE a* b*").Reply("*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\nb*\r\n:2\r\n");
        for (var i = 0; i < 100; i++)
        {
            rig.Reply("*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$4\r\n-ERR\r\n");
        }

        rig.Send("GET x").Reply("-ERR Can't execute 'get': only (P|S)SUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n");
        rig.Send("PUNSUBSCRIBE").Reply("*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:1\r\n*4\r\n$8\r\npmessage\r\n+b*\r\n+b\r\n+m\r\n");
        Assert.Equal(2, rig.Log.Lines.Count);
        rig.Reply("*3\r\n$12\r\npunsubscribe\r\n$2\r\nb*\r\n:0\r\n").Send("LRANGE l 0 1").Reply("*2\r\n$7\r\nmessage\r\n+x\r\n");
        Assert.Equal(
            [
                C + "PSUBSCRIBE|PSUBSCRIBE a* b*||2", C + "GET|GET x|ERR|2", C + "PUNSUBSCRIBE|PUNSUBSCRIBE||2",
                C + "LRANGE|LRANGE l ? ?||2",
            ],
            rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void AnErrorOfExecBelongsToItsCommandOnly()
    {
        var rig = new RedisRig();
        rig.Send("MULTI", "SET a 1", "EVAL x 0", "INCR a", "EXEC").Reply("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
        rig.Reply("*3\r\n+OK\r\n*2\r\n:1\r\n-ERR inside of a response\r\n-OOM command not allowed\r\n");
        Assert.Equal(
            [
                C + "MULTI|MULTI||2", C + "SET|SET a ?||2", C + "EVAL|EVAL ? 0||2", C + "INCR|INCR a|OOM|2", C + "EXEC|EXEC||2|batch 3",
            ],
            rig.Log.Lines);
        Assert.True(rig.Log.Times[1].End < rig.Log.Times[4].End, "a queued command ends with +QUEUED");
        rig.Close();
    }

    [Fact]
    public void ATransactionThatIsNotExecutedSelectsNothing()
    {
        var rig = new RedisRig();
        rig.Send("MULTI", "SELECT 7", "EXEC", "GET a").Reply("+OK\r\n+QUEUED\r\n*-1\r\n$-1\r\n");
        rig.Send("MULTI", "EXEC", "GET b").Reply("+OK\r\n*0\r\n$-1\r\n");
        Assert.Equal(
            [
                C + "MULTI|MULTI||2", C + "SELECT|SELECT 7||2", C + "EXEC|EXEC||2", C + "GET|GET a||2", C + "MULTI|MULTI||2",
                C + "EXEC|EXEC||2|batch 0", C + "GET|GET b||2",
            ],
            rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void TheDatabaseIsThatOfTheCommandBefore()
    {
        var rig = new RedisRig();
        rig.Send("GET a", "SELECT 12", "GET b", "SELECT x", "GET c").Reply("$-1\r\n+OK\r\n$-1\r\n-ERR invalid DB index\r\n$-1\r\n");
        Assert.Equal(["0", "0", "12", "12", "12"], rig.Log.Lines.Select(l => l.Split('|')[1]));
        rig.Close();
        var hidden = new RedisRig(options: new RedisOptions { IsDatabaseShown = false });
        hidden.Send("GET a").Reply("$-1\r\n");
        Assert.Equal(["Complete||GET|GET a||2"], hidden.Log.Lines);
    }

    [Fact]
    public void ACommandWithoutAResponseEndsWhenItIsSent()
    {
        var rig = new RedisRig();
        rig.Send("GET a", "CLIENT REPLY OFF", "SET b 1", "CLIENT REPLY SKIP", "SET c 1", "CLIENT REPLY ON", "GET d");
        Assert.Equal(
            [
                C + "CLIENT REPLY|CLIENT REPLY OFF||2", C + "SET|SET b ?||2", C + "CLIENT REPLY|CLIENT REPLY SKIP||2",
                C + "SET|SET c ?||2",
            ],
            rig.Log.Lines);
        Assert.All(rig.Log.Times, t => Assert.Equal(t.Handler, t.End));
        rig.Reply("-ERR a\r\n+OK\r\n$1\r\nd\r\n");
        Assert.Equal([C + "GET|GET a|ERR|2", C + "CLIENT REPLY|CLIENT REPLY ON||2", C + "GET|GET d||2"], rig.Log.Lines[4..]);
        rig.Close();
    }

    [Fact]
    public void BlockingCommandsHaveNoTimeLimit()
    {
        var rig = new RedisRig(options: new RedisOptions { RequestTimeout = TimeSpan.FromSeconds(1) });
        rig.Send("BLPOP list 0");
        rig.Tracer.Tick(60_000_000_000);
        Assert.Empty(rig.Log.Lines);
        rig.Wire.Time = 61_000_000_000;
        rig.Reply("*2\r\n$4\r\nlist\r\n$1\r\nx\r\n").Send("GET slow", "GET next");
        rig.Tracer.Tick(70_000_000_000);
        rig.Reply("-ERR late\r\n$-1\r\n");
        Assert.Equal(
            [C + "BLPOP|BLPOP list ?||2", "TimedOut||GET|GET slow||2|timeout", "TimedOut||GET|GET next||2|timeout"], rig.Log.Lines);
        rig.Send("GET after").Reply("$-1\r\n");
        Assert.Equal(C + "GET|GET after||2", rig.Log.Lines[^1]);
        rig.Close();
    }

    [Fact]
    public void WhatIsOpenAtTheEndIsClosed()
    {
        var rig = new RedisRig();
        rig.Send("MULTI", "SET a 1", "GET b").Reply("+OK\r\n+QUEUED\r\n").Raw('>', "*2\r\n$3\r\nGET\r\n$10\r\nabc");
        rig.Close();
        Assert.Equal(
            [C + "MULTI|MULTI||2", C + "SET|SET a ?||2", "Closed||GET|GET b||2|connection_closed",
                "Closed||GET|GET ...||2|connection_closed"],
            rig.Log.Lines);
    }

    [Fact]
    public void ReplicationIsHandedOver()
    {
        var rig = new RedisRig();
        rig.Send("PSYNC ? -1").Reply("-NOMASTERLINK Can't SYNC while not connected with my master\r\n");
        rig.Send("SYNC").Reply("$100\r\n").Reply("REDIS0010").Send("REPLCONF ACK 0").Reply("*1\r\n$4\r\nping\r\n");
        Assert.Equal([C + "PSYNC|PSYNC ? ?|NOMASTERLINK|2"], rig.Log.Lines);
        rig.Reply(new string('x', 100)).Close();
    }
}
