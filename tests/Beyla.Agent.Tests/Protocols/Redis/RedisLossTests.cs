namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>Bytes that were not seen: values are passed over by their length, and no response finds a wrong command.</summary>
public class RedisLossTests
{
    private const string C = "Complete|0|";

    [Fact]
    public void ValuesOfMegabytesArePassedOver()
    {
        var rig = new RedisRig();
        var value = new string('x', 3_000_000);
        var set = System.Text.Encoding.ASCII.GetBytes(RedisRig.Command("SET", "big", value) + RedisRig.Command("GET", "big"));
        rig.Wire.Pieces(rig.Direction('>'), set, (0, 100, true), (set.Length - 100 - 22, 22, true));
        rig.Reply("+OK\r\n");
        var response = System.Text.Encoding.ASCII.GetBytes($"${value.Length}\r\n{value}\r\n");
        for (var i = 0; i < response.Length; i += 65536)
        {
            rig.Write('<', response.AsSpan(i, Math.Min(65536, response.Length - i)), i == 0 ? 64 : 0);
        }

        rig.Send("GET next").Reply("-ERR next\r\n");
        Assert.Equal([C + "SET|SET big ?||2", C + "GET|GET big||2", C + "GET|GET next|ERR|2"], rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void ALostEventInsideOfAValueLosesNothing()
    {
        var rig = new RedisRig();
        rig.Raw('>', "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000\r\n").Miss('>', new string('v', 600)).Raw('>', new string('v', 400) + "\r\n");
        rig.Reply("+OK\r\n").Send("GET a").Reply("$1000\r\nvv").Miss('<', new string('v', 900)).Reply(new string('v', 98) + "\r\n");
        Assert.Equal([C + "SET|SET a ?||2", C + "GET|GET a||2"], rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void AResponseThatWasNotSeenIsUnfinished()
    {
        var rig = new RedisRig();
        rig.Send("GET a").Miss('<', "-ERR a\r\n").Send("GET b").Reply("-ERR b\r\n").Send("GET c").Reply("$-1\r\n");
        Assert.Equal(["Unfinished||GET|GET a||2", C + "GET|GET b|ERR|2", C + "GET|GET c||2"], rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void AfterCommandsThatWereNotSeenNoResponseIsGuessed()
    {
        var rig = new RedisRig();
        rig.Send("GET a").Miss('>', RedisRig.Command("GET", "lost")).Send("GET b");
        rig.Reply("$-1\r\n-ERR lost\r\n$1\r\nb\r\n").Send("GET c").Reply("$-1\r\n").Send("GET d").Reply("$-1\r\n");
        Assert.Equal([C + "GET|GET a||2", C + "GET|GET c||2", C + "GET|GET d||2"], rig.Log.Lines);
        Assert.Equal(RedisRig.Command("GET", "lost").Length, rig.Redis.CountUnseen()!.Value.Lost);
        rig.Close();
    }

    [Fact]
    public void TheEndOfAResponseOfWhichTheMiddleIsMissingIsWhereTheBytesEnd()
    {
        var rig = new RedisRig();
        var list = string.Concat(Enumerable.Repeat("$5\r\nvalue\r\n", 2000));
        rig.Send("LRANGE l 0 -1");
        rig.Write('<', System.Text.Encoding.ASCII.GetBytes("*2000\r\n" + list), 8000);
        var end = (long)rig.Wire.Time;
        Assert.Empty(rig.Log.Lines);
        rig.Send("GET a").Reply("-ERR a\r\n");
        Assert.Equal([C + "LRANGE|LRANGE l ? ?||2", C + "GET|GET a|ERR|2"], rig.Log.Lines);
        Assert.Equal(end, rig.Log.Times[0].End);
        rig.Close();
    }

    [Fact]
    public void BehindAHoleInAPipelineOfResponsesNothingIsGuessed()
    {
        var rig = new RedisRig();
        rig.Send("LRANGE l 0 -1", "GET a");
        var list = string.Concat(Enumerable.Repeat("+v\r\n", 2000));
        rig.Write('<', System.Text.Encoding.ASCII.GetBytes("*2000\r\n" + list + "-ERR a\r\n"), 99);
        rig.Send("GET b").Reply("$-1\r\n").Send("GET c").Reply("$-1\r\n");
        Assert.Equal(
            ["Unfinished||LRANGE|LRANGE l ? ?||2", "Unfinished||GET|GET a||2", C + "GET|GET b||2", C + "GET|GET c||2"], rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void AResponseWithoutACommandMakesThePairingDoubtful()
    {
        var rig = new RedisRig();
        rig.Send("GET a").Reply("$-1\r\n").Miss('>', RedisRig.Command("GET", "lost")).Reply("-ERR lost\r\n").Send("GET b").Reply("$-1\r\n");
        Assert.Equal([C + "GET|GET a||2"], rig.Log.Lines);
        rig.Send("GET c").Reply("$-1\r\n");
        Assert.Equal([C + "GET|GET b||2", C + "GET|GET c||2"], rig.Log.Lines[1..]);
        rig.Close();
    }

    /// <summary>
    /// The kernel side could not follow the frames of an operation to its end: commands may be in there, whose responses are nobody's.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void CommandsInBytesThatWereNotFollowedAreCounted(int cut)
    {
        var rig = new RedisRig();
        string seen = RedisRig.Command("GET", "a"), hidden = RedisRig.Command("GET", "lost") + RedisRig.Command("GET", "too");
        var data = System.Text.Encoding.ASCII.GetBytes(seen + hidden);
        rig.Wire.Unwalked = (uint)hidden.Length;
        rig.Wire.Pieces(rig.Direction('>'), data, (0, seen.Length + cut, true));
        rig.Wire.Unwalked = 0;
        rig.Send("GET b").Reply("$1\r\na\r\n-ERR lost\r\n-ERR too\r\n$1\r\nb\r\n");
        rig.Send("GET c").Reply("$-1\r\n").Send("GET d").Reply("$-1\r\n");
        Assert.Equal([C + "GET|GET a||2", C + "GET|GET c||2", C + "GET|GET d||2"], rig.Log.Lines);
        Assert.Equal(hidden.Length - cut, rig.Redis.CountUnseen()!.Value.Lost);
        rig.Close();
    }

    /// <summary>The command in which following ended is one as long as its name was seen.</summary>
    [Theory]
    [InlineData(13, "GET ...")]
    [InlineData(20, "GET los...")]
    public void ACommandThatEndsInBytesThatWereNotFollowedHasItsResponse(int cut, string text)
    {
        var rig = new RedisRig();
        var data = System.Text.Encoding.ASCII.GetBytes(RedisRig.Command("GET", "lost") + RedisRig.Command("GET", "too"));
        rig.Wire.Unwalked = (uint)data.Length;
        rig.Wire.Pieces(rig.Direction('>'), data, (0, cut, true));
        rig.Wire.Unwalked = 0;
        rig.Reply("-ERR lost\r\n-ERR too\r\n").Send("GET c").Reply("$-1\r\n").Send("GET d").Reply("$-1\r\n");
        Assert.Equal([C + $"GET|{text}|ERR|2", C + "GET|GET c||2", C + "GET|GET d||2"], rig.Log.Lines);
        rig.Close();
    }

    /// <summary>Unlike a value, which is passed over by its length wherever it lies.</summary>
    [Fact]
    public void AValueInBytesThatWereNotFollowedIsPassedOver()
    {
        var rig = new RedisRig();
        var set = System.Text.Encoding.ASCII.GetBytes(RedisRig.Command("SET", "big", new string('x', 3000)));
        rig.Wire.Unwalked = 2000;
        rig.Wire.Pieces(rig.Direction('>'), set, (0, 100, true));
        rig.Wire.Unwalked = 0;
        rig.Reply("+OK\r\n").Send("GET a").Reply("-ERR a\r\n");
        Assert.Equal([C + "SET|SET big ?||2", C + "GET|GET a|ERR|2"], rig.Log.Lines);
        Assert.Null(rig.Redis.CountUnseen());
        rig.Close();
    }

    [Fact]
    public void ResponsesInBytesThatWereNotFollowedAreNobodys()
    {
        var rig = new RedisRig();
        rig.Send("LRANGE l 0 -1", "GET a", "GET b");
        var list = "*20\r\n" + string.Concat(Enumerable.Repeat("+v\r\n", 20));
        rig.Wire.Unwalked = 60;
        rig.Wire.Pieces(rig.Direction('<'), System.Text.Encoding.ASCII.GetBytes(list + "-ERR a\r\n"), (0, 50, true));
        rig.Wire.Unwalked = 0;
        rig.Reply("-ERR b\r\n").Send("GET c").Reply("$-1\r\n").Send("GET d").Reply("$-1\r\n");
        Assert.Equal(
            ["Unfinished||LRANGE|LRANGE l ? ?||2", "Unfinished||GET|GET a||2", "Unfinished||GET|GET b||2", C + "GET|GET c||2",
                C + "GET|GET d||2"],
            rig.Log.Lines);
        rig.Close();
    }

    [Fact]
    public void AnEvictedConnectionIsLost()
    {
        var rig = new RedisRig();
        rig.Send("GET a");
        rig.Wire.Forget();
        Assert.Equal(["Unfinished||GET|GET a||2"], rig.Log.Lines);
        rig.AssertSettled();
    }
}
