namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>
/// What is shown of a command (OpenTelemetry semantic conventions for Redis, db.query.text: <c>HMSET myhash field1 ? field2 ?</c>), and the
/// name of its operation.
/// </summary>
public class RedisTextTests
{
    [Theory]
    [InlineData("HMSET myhash field1 Hello field2 World", "HMSET", "HMSET myhash field1 ? field2 ?")]
    [InlineData("SET k secret EX 10 NX", "SET", "SET k ? EX ? NX")]
    [InlineData("SET k NX", "SET", "SET k ?")]
    [InlineData("set k v", "set", "set k ?")]
    [InlineData("MSET a 1 b 2", "MSET", "MSET a ? b ?")]
    [InlineData("MGET a b", "MGET", "MGET a b")]
    [InlineData("ZADD z GT 1 NX", "ZADD", "ZADD z GT ? ?")]
    [InlineData("LINSERT l BEFORE GET SET", "LINSERT", "LINSERT l BEFORE ? ?")]
    [InlineData("BLPOP a b 5", "BLPOP", "BLPOP a b ?")]
    [InlineData("BLMPOP 0 2 a b LEFT COUNT 3", "BLMPOP", "BLMPOP ? 2 a b LEFT COUNT ?")]
    [InlineData("XREADGROUP GROUP g c COUNT 5 STREAMS a b 0 0", "XREADGROUP", "XREADGROUP GROUP ? ? COUNT ? STREAMS a b ? ?")]
    [InlineData("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "ZUNIONSTORE", "ZUNIONSTORE d 2 a b WEIGHTS ? ?")]
    [InlineData("EVALSHA 0123abcd 1 k secret", "EVALSHA", "EVALSHA 0123abcd 1 k ?")]
    [InlineData("EVALSHA 0123abcd 99 k secret", "EVALSHA", "EVALSHA 0123abcd 99 k secret")]
    [InlineData("FCALL f 0 secret", "FCALL", "FCALL f 0 ?")]
    [InlineData("EVAL script x secret", "EVAL", "EVAL ? ? ?")]
    [InlineData("config set requirepass secret", "config set", "config set requirepass ?")]
    [InlineData("CONFIG WHAT secret", "CONFIG", "CONFIG ? ?")]
    [InlineData("ACL SETUSER alice on >secret", "ACL SETUSER", "ACL SETUSER ? ? ?")]
    [InlineData("AUTH user GET", "AUTH", "AUTH ? ?")]
    [InlineData("HELLO 3 AUTH ON OFF SETNAME me", "HELLO", "HELLO 3 AUTH ? ? ? ?")]
    [InlineData("MIGRATE h 6379 key 0 5000 AUTH GET", "MIGRATE", "MIGRATE ? ? key ? ? ? ?")]
    [InlineData("OBJECT ENCODING key", "OBJECT ENCODING", "OBJECT ENCODING key")]
    [InlineData("XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE", "XGROUP CREATE s g ? MKSTREAM")]
    [InlineData("JSON.SET doc $ {}", "JSON.SET", "JSON.SET doc ? ?")]
    [InlineData("SUBSCRIBE a b", "SUBSCRIBE", "SUBSCRIBE a b")]
    [InlineData("SCAN 0 MATCH user:* COUNT 10", "SCAN", "SCAN ? MATCH ? COUNT ?")]
    [InlineData("CONFIG", "CONFIG", "CONFIG")]
    [InlineData("4711 secret", "", "")]
    public void IsTheCommandWithoutItsValues(string command, string operation, string text)
    {
        var rig = new RedisRig();
        rig.Send("PING").Reply("+PONG\r\n").Send(command).Reply("+fine\r\n");
        Assert.Equal([operation, text], rig.Log.Lines[1].Split('|')[2..4]);
    }

    [Theory]
    [InlineData("my key", "\"my key\"")]
    [InlineData("say \"a\\b\"", "\"say \\\"a\\\\b\\\"\"")]
    [InlineData("", "\"\"")]
    [InlineData("it's", "\"it's\"")]
    [InlineData("\u001b[31m", "?")]
    [InlineData("\u00ff\u00fe", "?")]
    [InlineData("b\u00c3\u00a4r", "b\u00c3\u00a4r")]
    [InlineData("a\r\n*1", "?")]
    public void KeysAreAsRedisCliTakesThem(string key, string text)
    {
        var rig = new RedisRig();
        rig.Raw('>', RedisRig.Command("GET", key)).Reply("$-1\r\n");
        Assert.Equal("GET " + text, rig.Log.Lines[0].Split('|')[3]);
    }

    [Fact]
    public void TheLimitsAreThoseOfTheSlowLog()
    {
        var rig = new RedisRig();
        rig.Raw('>', RedisRig.Command("GET", new string('k', 200)))
            .Raw('>', RedisRig.Command(["DEL", .. Enumerable.Range(0, 40).Select(i => $"{i}")]))
            .Raw('>', RedisRig.Command(["DEL", .. Enumerable.Range(0, 32).Select(_ => new string('k', 128))]))
            .Reply(":1\r\n:2\r\n:3\r\n");
        Assert.Equal("GET " + new string('k', 128) + "...", rig.Log.Lines[0].Split('|')[3]);
        Assert.Equal("DEL " + string.Join(' ', Enumerable.Range(0, 32)) + " ...", rig.Log.Lines[1].Split('|')[3]);
        Assert.EndsWith(" ...", rig.Log.Lines[2].Split('|')[3], StringComparison.Ordinal);
        Assert.InRange(rig.Log.Lines[2].Length, 2048, 2300);
        rig.Close();
    }

    [Fact]
    public void ACharacterIsNotCut()
    {
        var rig = new RedisRig();
        rig.Raw('>', RedisRig.Command("GET", new string('k', 127) + "\u00e2\u0082\u00ac")).Reply("$-1\r\n");
        Assert.Equal("GET " + new string('k', 127) + "...", rig.Log.Lines[0].Split('|')[3]);
    }
}
