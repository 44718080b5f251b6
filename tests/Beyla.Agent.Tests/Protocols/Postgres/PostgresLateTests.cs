using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Tracing;
using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>Connections that were in use before the agent came, encryption, and bytes that are not PostgreSQL.</summary>
public class PostgresLateTests
{
    private readonly PostgresRig rig = new() { IsFresh = false };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AQuery(bool isServer)
    {
        var late = new PostgresRig(isServer) { IsFresh = false };
        late.Client(Query("select a from t where b = 'secret'"));
        late.Server([.. RowDescription, .. Row("1"), .. Complete("SELECT 1"), .. Ready()]);
        late.Close();
        Assert.Equal(["Complete||select a from t where b = ?|||1"], late.Spans);
        Assert.Equal([isServer ? SpanKind.Server : SpanKind.Client], late.Kinds);
        late.AssertSettled();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AQueryInPieces(int size)
    {
        Pieces(Query("select a from t"), size, data => rig.Client(data));
        Pieces([.. RowDescription, .. Row("1"), .. Complete("SELECT 1"), .. Ready()], size, data => rig.Server(data));
        rig.Close();
        Assert.Equal(["Complete||select a from t|||1"], rig.Spans);
    }

    [Fact]
    public void AStatementThatWasPreparedBefore()
    {
        rig.Client([.. Bind("", "before"), .. Describe(""), .. Execute(""), .. Sync]);
        rig.Server([.. BindComplete, .. RowDescription, .. Row("1"), .. Complete("SELECT 1"), .. Ready()]);
        rig.Client([.. Parse("after", "select b"), .. Bind("", "after"), .. Execute(""), .. Sync]);
        rig.Server([.. ParseComplete, .. BindComplete, .. Complete("SELECT 2"), .. Ready()]);
        rig.Close();
        Assert.Equal(["Complete|||||1", "Complete||select b|||2"], rig.Spans);
        Assert.Equal("postgresql", rig.Names[0].Name);
    }

    [Fact]
    public void TheEndOfAResponse()
    {
        rig.Server([.. Row("1"), .. Complete("SELECT 7"), .. Ready()]);
        rig.Client(Query("select a"));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        rig.Close();
        Assert.Equal(["Complete||select a|||1"], rig.Spans);
        Assert.Equal([SpanKind.Server], rig.Kinds);
    }

    [Fact]
    public void NoSpanWithoutAResponse()
    {
        rig.Client(Query("select a"));
        rig.Close();
        Assert.Empty(rig.Spans);
        rig.AssertSettled();
    }

    [Fact]
    public void NoSpanWhenTheResponseIsNone()
    {
        rig.Client(Query("select a"));
        rig.Server("HTTP/1.1 400 Bad Request\r\n\r\n");
        Assert.False(rig.HasConversation);
        rig.Close();
        Assert.Empty(rig.Spans);
        rig.AssertSettled();
    }

    [Theory]
    [InlineData("N", true)]
    [InlineData("S", false)]
    [InlineData("G", false)]
    public void Encryption(string response, bool isInClear)
    {
        rig.IsFresh = true;
        rig.Client(GssRequest);
        rig.Server("N");
        rig.Client(SslRequest);
        rig.Server(response);
        rig.Client(StartUp("user", "app", "database", "shop"));
        rig.Server(Welcome);
        rig.Client(Query("select a"));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        rig.Close();
        Assert.Equal(isInClear ? ["Complete|shop|select a|||1"] : [], rig.Spans);
        rig.AssertSettled();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("*1\r\n$4\r\nPING\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("Q\0\0\0\x20\x01\x02\x03\x04\x05\x06\x07\x08")]
    public void Others(string data)
    {
        var bytes = System.Text.Encoding.Latin1.GetBytes(data);
        foreach (var isFresh in (bool[])[true, false])
        {
            var opening = new Opening { Data = bytes, Length = bytes.Length, Direction = SocketDirection.Receive, IsFresh = isFresh };
            Assert.Equal(Confirmation.No, rig.Protocol.Confirm(in opening));
        }
    }

    /// <summary>
    /// The share of foreign bytes that is taken for PostgreSQL is what the strict rule can have: below one in a thousand. Each of them is a
    /// suspicion only: none makes a span.
    /// </summary>
    [Fact]
    public void RandomBytes()
    {
        var random = new Random(20261127);
        var bytes = new byte[300];
        var taken = 0;
        for (var i = 0; i < 30_000; i++)
        {
            random.NextBytes(bytes);
            var length = random.Next(1, bytes.Length);
            var opening = new Opening { Data = bytes.AsSpan(0, length), Length = length, Direction = SocketDirection.Send };
            taken += rig.Protocol.Confirm(in opening) == Confirmation.Yes ? 1 : 0;
            rig.Client(bytes.AsSpan(0, length));
            random.NextBytes(bytes);
            rig.Server(bytes);
            rig.Close();
        }

        Assert.InRange(taken, 0, 30);
        Assert.Empty(rig.Spans);
        rig.AssertSettled();
    }

    [Fact]
    public void OnlyWhatIsRememberedHasAText()
    {
        var few = new PostgresRig(true, new PostgresOptions { MaxStatements = 2 });
        few.Client(StartUp("user", "app"));
        few.Server(Welcome);
        foreach (var name in (string[])["a", "b", "c"])
        {
            few.Client([.. Parse(name, $"select {name}"), .. Sync]);
            few.Server([.. ParseComplete, .. Ready()]);
        }

        Assert.Equal(2, few.Protocol.Texts.Shared);
        foreach (var name in (string[])["a", "b", "c"])
        {
            few.Client([.. Bind("", name), .. Execute(""), .. Sync]);
            few.Server([.. BindComplete, .. Complete("SELECT 1"), .. Ready()]);
        }

        few.Close();
        Assert.Equal(["Complete|app||||1", "Complete|app|select b|||1", "Complete|app|select c|||1"], few.Spans);
        few.AssertSettled();
    }

    private static void Pieces(byte[] data, int size, Action<byte[]> write)
    {
        for (var at = 0; at < data.Length; at += size)
        {
            write(data[at..Math.Min(at + size, data.Length)]);
        }
    }
}
