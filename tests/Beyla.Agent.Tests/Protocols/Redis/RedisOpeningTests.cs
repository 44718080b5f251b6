using System.Text;
using Beyla.Agent.Protocols.Redis;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>What is taken for Redis: a command as an array, in the middle of a connection only one that is known.</summary>
public class RedisOpeningTests
{
    [Theory]
    [InlineData("*1\r\n$4\r\nPING\r\n", Confirmation.Yes, Confirmation.Yes)]
    [InlineData("*3\r\n$3\r\nset\r\n$1\r\na\r\n", Confirmation.Yes, Confirmation.Yes)]
    [InlineData("*2\r\n$8\r\nJSON.GET\r\n$1\r\na\r\n", Confirmation.Yes, Confirmation.Yes)]
    [InlineData("*2\r\n$5\r\nMYCMD\r\n$1\r\na\r\n", Confirmation.Yes, Confirmation.No)]
    [InlineData("*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", Confirmation.Yes, Confirmation.Yes)]
    [InlineData("*2\r\n$7\r\nmessage\r\n$1\r\na\r\n", Confirmation.Yes, Confirmation.No)]
    [InlineData("*1\r\n$4\r\nPING\r\n+PONG\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*2\r\n$3\r\nGET\r\n:1\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*1\r\n$3\r\nPING\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*1\r\n$0\r\n\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*0\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*-1\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*1\n$4\nPING\n", Confirmation.No, Confirmation.No)]
    [InlineData("*1\r\n$4\r\n4711\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*1\r\n:4\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("*99999999999\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("PING\r\n", Confirmation.Undecided, Confirmation.No)]
    [InlineData("+OK\r\n", Confirmation.No, Confirmation.No)]
    [InlineData("GET / HTTP/1.1\r\n", Confirmation.No, Confirmation.No)]
    public void IsJudged(string bytes, Confirmation fresh, Confirmation later)
    {
        Assert.Equal(fresh, Judge(bytes, true));
        Assert.Equal(later, Judge(bytes, false));
    }

    [Fact]
    public void WaitsForTheNameAndNoLonger()
    {
        const string Command = "*123\r\n$12\r\nHINCRBYFLOAT\r\n";
        for (var i = 1; i < Command.Length; i++)
        {
            Assert.Equal(Confirmation.Undecided, Judge(Command[..i], true));
            Assert.Equal(Confirmation.Undecided, Judge(Command[..i], false));
        }

        Assert.Equal(Confirmation.Yes, Judge(Command, false));
    }

    [Fact]
    public void RandomBytesAreNoRedis()
    {
        var random = new Random(7);
        var data = new byte[64];
        for (var i = 0; i < 100_000; i++)
        {
            random.NextBytes(data);
            data[0] = (byte)'*';
            Assert.Equal(Confirmation.No, RedisOpening.Judge(new Opening { Data = data, Length = 64 }));
        }
    }

    private static Confirmation Judge(string bytes, bool isFresh) =>
        RedisOpening.Judge(new Opening { Data = Encoding.Latin1.GetBytes(bytes), Length = bytes.Length, IsFresh = isFresh });
}
