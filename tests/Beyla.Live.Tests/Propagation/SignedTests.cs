using System.Globalization;
using System.Text;
using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// Connections with MD5 signatures (RFC 2385), which take 20 of the 40 bytes that options may have, beside 12 of time stamps: there is no
/// room for another one of 26. What is sent arrives all the same.
/// </summary>
public sealed class SignedTests
{
    private const string Secret = "not a secret";

    [LiveTheory("python3", "tcpdump")]
    [InlineData("tcp")]
    [InlineData("all")]
    public async Task A_signed_connection_has_no_option_and_all_its_data(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await PassingAgent.StartAsync(AgentSettings.ForPorts(sender.Port), way);
        foreach (int body in (int[])[0, 100, 5000, 200_000])
        {
            // The same without a signature has the option: what is looked for can be seen.
            Assert.Contains("unknown-25 ", await SendAsync(sender, way, body, null), StringComparison.Ordinal);
            string signed = await SendAsync(sender, way, body, Secret);
            Assert.Contains("md5", signed, StringComparison.Ordinal);
            Assert.DoesNotContain("unknown-25", signed, StringComparison.Ordinal);
        }

        await agent.StopAsync(ChildProcess.SIGINT, "exchanges", "exchanges.http");
    }

    /// <summary>Sends a request and checks what arrives.</summary>
    /// <returns>The segments of the connection, as tcpdump shows them.</returns>
    private static async Task<string> SendAsync(Sender sender, string way, int body, string? key)
    {
        byte[] request =
            [.. Encoding.ASCII.GetBytes($"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: {body}\r\n\r\n"), .. new byte[body]];
        using Sink sink = new("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), key: key);
        // Heads alone: of whole segments of 64 KiB the ring of tcpdump has room for a few, and loses the end on a busy machine.
        await using ChildProcess capture = ChildProcess.Start(
            Tool.Find("tcpdump"),
            ["-i", "lo", "-n", "-l", "-s", "128", "-Z", "root", "--immediate-mode",
                "tcp", "port", sink.Port.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(
            await Wait.UntilAsync(() => capture.Errors.Contains("listening on", StringComparison.Ordinal), Wait.Hang), capture.Errors);
        Sender.Result result = await sender.RunAsync(new Sender.SendTask { Port = sink.Port, Parts = [request], Key = key });
        Assert.Equal((40, "", 0), (result.Received, result.Error, result.Readable.Count));
        byte[] arrived = await sink.Received;
        // The header is put behind the first line.
        int line = request.AsSpan().IndexOf("\r\n"u8) + 2, added = way == "tcp" ? 0 : 70;
        Assert.Equal(request, (byte[])[.. arrived[..line], .. arrived[(line + added)..]]);
        Assert.True(await Wait.UntilAsync(() => capture.Output.Split("Flags [F").Length > 2, Wait.Hang), capture.Output);
        capture.Signal(ChildProcess.SIGINT);
        _ = await capture.WaitForExitAsync(Wait.Hang);
        return capture.Output;
    }
}
