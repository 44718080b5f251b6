using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>Operations of which only the first bytes, and perhaps the last eight, are captured.</summary>
public class HttpCaptureTests
{
    private readonly Rig rig = new();

    private Wire Wire => rig.Wire;

    [Fact]
    public void BodyOfKnownLengthInOperationsThatShowOnlyTheirPrefix()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 20003\r\n\r\n");
        Wire.Data(SocketDirection.Send, new byte[10000], 32);
        Wire.Data(SocketDirection.Send, new byte[10000], 32);
        Assert.Empty(rig.Log.Lines);
        Wire.Send("end");
        Expect("Server Complete GET /a host= 1.1 200 0/20003");
    }

    [Fact]
    public void HeadWithABodyBeyondTheCapture()
    {
        Wire.Data(SocketDirection.Receive, Bytes("POST /a HTTP/1.1\r\nContent-Length: 9000\r\n\r\n" + new string('x', 9000)), 8192);
        Wire.Data(SocketDirection.Send, Bytes("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + new string('x', 9000)), 64);
        Expect("Server Complete POST /a host= 1.1 200 9000/9000");
    }

    [Fact]
    public void BodyBySendfileWithNothingCaptured()
    {
        Wire.Receive("GET /file HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n");
        Wire.Data(SocketDirection.Send, new byte[65536], 0, hasTail: false);
        Wire.Data(SocketDirection.Send, new byte[4464], 0, hasTail: false);
        Expect("Server Complete GET /file host= 1.1 200 0/70000");
    }

    [Fact]
    public void ChunkPerOperation()
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        Wire.Data(SocketDirection.Send, Bytes("3e8\r\n" + new string('x', 1000) + "\r\n"), 32);
        Wire.Data(SocketDirection.Send, Bytes("7d0;ext\r\n" + new string('x', 2000) + "\r\n0\r\n\r\n"), 32);
        Expect("Server Complete GET /c host= 1.1 200 0/3000");
    }

    [Fact]
    public void ChunkOverManyOperations()
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n");
        Wire.Data(SocketDirection.Send, new byte[4000], 32);
        Wire.Data(SocketDirection.Send, Bytes(new string('x', 96) + "\r\n"), 32);
        Wire.Send("0\r\nX: y\r\n\r\n");
        Expect("Server Complete GET /c host= 1.1 200 0/4096");
    }

    [Theory]
    [InlineData("0\r\n\r\n", 1015)]
    [InlineData("200\r\nfffffffffffffffffffffffffffffffffffffffffffffffffff\r\n0\r\n\r\n", 1073)]
    public void LostChunksEndWithTheLastChunkAtTheEndOfAnOperation(string last, int body)
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        Wire.Data(SocketDirection.Send, Bytes("a\r\n0123456789\r\n400\r\n" + new string('x', 989) + "\n"), 9, hasTail: false);
        Assert.Empty(rig.Log.Lines);
        Wire.Data(SocketDirection.Send, Bytes(last), Math.Min(last.Length, 32));
        Expect($"Server Complete GET /c host= 1.1 200 0/{body}");
    }

    [Fact]
    public void LostChunksEndWithTheNextAnswer()
    {
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        Wire.Data(SocketDirection.Send, Bytes("a\r\n0123456789\r\n400\r\n"), 9, hasTail: false);
        Wire.Send("HTTP/1.1 is only part of a body while no other request waits");
        var end = Wire.Time;
        Wire.Receive("GET /d HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 204 No\r\n\r\n");
        Assert.Equal((long)end, rig.Log.Times[0].End);
        Expect("Server Unfinished GET /c host= 1.1 200 0/80", "Server Complete GET /d host= 1.1 204 0/0");
    }

    [Fact]
    public void HeadsBeyondTheCapture()
    {
        var cookies = "Cookie: " + new string('c', 500) + "\r\n\r\n";
        Wire.Data(SocketDirection.Receive, Bytes("GET /a?b HTTP/1.1\r\nHost: h\r\nX: y\r\n" + cookies), 50);
        Wire.Data(SocketDirection.Send, Bytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + cookies + "body"), 50);
        Wire.Data(SocketDirection.Receive, Bytes("GET /" + new string('p', 500) + " HTTP/1.1\r\n\r\n"), 20);
        Wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Wire.Receive("GET /c HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 204 No\r\n\r\n");
        Expect("Server Unfinished GET /a?b host=h 1.1 200 -1/-1", "Server Complete GET /" + new string('p', 15) + " host= 1.1 200 -1/0",
            "Server Complete GET /c host= 1.1 204 0/0");
    }

    [Fact]
    public void AnswerOfWhichNothingIsCaptured()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        Wire.Data(SocketDirection.Send, new byte[100], 0, hasTail: false);
        Wire.Receive("GET /b HTTP/1.1\r\n\r\n");
        Wire.Send("HTTP/1.1 204 No\r\n\r\n");
        Expect("Server Unfinished GET /a host= 1.1 0 0/-1", "Server Complete GET /b host= 1.1 204 0/0");
    }

    [Fact]
    public void TailMakesTheLastBytesVisible()
    {
        Wire.Receive("GET /a HTTP/1.1\r\n\r\n");
        var answer = Bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y\r\n\r\n");
        Wire.Data(SocketDirection.Send, answer, answer.Length - 8);
        Expect("Server Complete GET /a host= 1.1 200 0/0");
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private void Expect(params string[] spans)
    {
        Assert.Equal(spans, rig.Log.Lines);
        Wire.Close();
        Assert.Equal(spans, rig.Log.Lines);
        rig.AssertSettled();
    }
}
