using System.Text;
using Beyla.Agent.Kernel;
using Beyla.Agent.Tests.Tracing;

namespace Beyla.Agent.Tests.Protocols.Http;

/// <summary>Whom a PROXY header names, and that nothing but the first bytes of a connection can name anybody.</summary>
public class ProxyHeaderTests
{
    private const string Get = "GET / HTTP/1.1\r\n\r\n", Ok = "HTTP/1.1 204 N\r\n\r\n", Signature = "\r\n\r\n\0\r\nQUIT\n";
    private const string V4 = Signature + "\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50";
    private const string V6 = Signature
        + "\x21\x21\0\x27\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\0\x50\x04\0\0";

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", "192.0.2.7:4711")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "2001:db8::7:4711")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 80\r\n", "192.0.2.7:4711")]
    [InlineData("PROXY TCP6 1:2:3:4:5:6:7:8 :: 0 65535\r\n", "1:2:3:4:5:6:7:8:0")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", null)]
    [InlineData(V4, "192.0.2.7:4711")]
    [InlineData(V6, "2001:db8::7:4711")]
    [InlineData(Signature + "\x20\0\0\0", null)]
    [InlineData(Signature + "\x20\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50", null)]
    [InlineData(Signature + "\x21\x31\0\u0003abc", null)]
    public void Names(string header, string? client)
    {
        foreach (var size in (int[])[1, 5, 13, 17, 1000])
        {
            var rig = new Rig();
            foreach (var piece in (header + Get).Chunk(size))
            {
                rig.Wire.Receive(new string(piece));
            }

            rig.Wire.Send(Ok);
            // What was named stays while the connection does.
            rig.Wire.Receive(Get);
            rig.Wire.Send(Ok);
            Assert.Equal(Enumerable.Repeat((client ?? "10.0.0.2:50000", "10.0.0.1:8080"), 2), rig.Log.Peers);
            Assert.Equal(Enumerable.Repeat(client is null ? "" : "10.0.0.2:50000", 2), rig.Log.Proxies);
            rig.Wire.Close();
            rig.AssertSettled();
        }
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.1 4711 80\r\n")]
    [InlineData("PROXY TCP4 192.0.02.7 198.51.100.1 4711 80\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 \r\n")]
    [InlineData("PROXY TCP4  192.0.2.7 198.51.100.1 4711 80\r\n")]
    [InlineData("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 4711 80\r\n")]
    [InlineData("PROXY TCP6 1::2::3 ::1 4711 80\r\n")]
    [InlineData("PROXY TCP6 1:2: ::1 4711 80\r\n")]
    [InlineData("PROXY TCP6 12345::1 ::1 4711 80\r\n")]
    [InlineData("PROXY UDP4 192.0.2.7 198.51.100.1 4711 80\r\n")]
    [InlineData(Signature + "\x11\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50")]
    [InlineData(Signature + "\x22\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50")]
    [InlineData(Signature + "\x21\x11\0\x0b\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0")]
    public void WhatIsBrokenIsNoHeader(string header)
    {
        var rig = new Rig();
        rig.Wire.Receive(header + Get);
        rig.Wire.Send("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
        Assert.Empty(rig.Log.Lines);
        rig.Wire.Close();
        rig.AssertSettled();
    }

    [Fact]
    public void OnlyTheFirstBytesOfAConnectionNameAClient()
    {
        foreach (var header in (string[])["PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n", V4])
        {
            var rig = new Rig();
            rig.Wire.Receive(Get);
            rig.Wire.Send(Ok);
            rig.Wire.Receive(header + Get);
            rig.Wire.Send("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
            rig.Wire.Receive(Get);
            rig.Wire.Send(Ok);
            Assert.All(rig.Log.Peers, peer => Assert.Equal("10.0.0.2:50000", peer.Client));
            rig.Wire.Close();
            rig.AssertSettled();
        }
    }

    [Fact]
    public void TheNextConnectionOfTheSameObjectHasItsOwnClient()
    {
        var rig = new Rig();
        rig.Wire.Receive(V4 + Get);
        rig.Wire.Send(Ok);
        rig.Wire.Close();
        var next = rig.Connect(2);
        next.Receive(Get);
        next.Send(Ok);
        Assert.Equal(["192.0.2.7:4711", "10.0.0.2:50000"], rig.Log.Peers.Select(p => p.Client));
    }

    [Fact]
    public void TheProxyItselfIsTheClientOfItsRequests()
    {
        var rig = new Rig();
        rig.Wire.Send(V4 + Get);
        rig.Wire.Receive(Ok);
        Assert.Equal(("10.0.0.1:8080", "10.0.0.2:50000"), rig.Log.Peers.Single());
        Assert.Equal("", rig.Log.Proxies.Single());
    }

    [Fact]
    public void LongRestIsPassedOverUnseen()
    {
        var rig = new Rig();
        var header = Encoding.Latin1.GetBytes(V4.Replace("\x11\0\x0c", "\x11\x40\x0c", StringComparison.Ordinal));
        rig.Wire.Data(SocketDirection.Receive, [.. header, .. new byte[0x4000]], 8191);
        rig.Wire.Receive(Get);
        rig.Wire.Send(Ok);
        Assert.Equal("192.0.2.7:4711", rig.Log.Peers.Single().Client);
    }
}
