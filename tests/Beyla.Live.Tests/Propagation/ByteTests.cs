using System.Text;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Rig;
using Beyla.Tests.Common;

namespace Beyla.Live.Tests.Propagation;

/// <summary>
/// What arrives is what was sent, whatever that is: but for one header in the first request of a connection, where that can be put in
/// safely, and nothing at all where contexts travel as a TCP option.
/// </summary>
public sealed partial class ByteTests
{
    private static readonly byte[] Response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray();

    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("tcp")]
    [InlineData("all")]
    public async Task What_arrives_is_what_was_sent_but_for_the_header(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await StartAsync(sender, way);
        List<string> wrong = [];
        foreach (Message message in Message.All)
        {
            using Sink sink = new(Response);
            Sender.Result result = await sender.RunAsync(new Sender.SendTask
            {
                Port = sink.Port, Parts = message.Parts, Lockstep = message.Lockstep, Pause = message.Parts.Length > 5 ? 0 : 0.002,
            });
            byte[] arrived = await sink.Received;
            (int added, byte[] rest) = Without(arrived);
            int expected = way == "tcp" ? 0 : message.Headers;
            if (added != expected || !rest.AsSpan().SequenceEqual(message.Parts.SelectMany(part => part).ToArray())
                || result.Error.Length > 0 || result.Readable.Count > 0)
            {
                wrong.Add($"{message.Name}: {added} headers, not {expected}; {arrived.Length} bytes; {result}");
            }
        }

        Assert.Empty(wrong);
        await agent.StopAsync(ChildProcess.SIGINT, "exchanges", "exchanges.http");
    }

    /// <summary>ioctl(FIONREAD) tells what is there to read, right after the first response: nginx believes it.</summary>
    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("tcp")]
    public async Task What_can_be_read_is_told_right(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await StartAsync(sender, way);
        foreach (int size in (int[])[1, 100, 1000, 4000, 5000, 12_000, 16_384, 50_000, 100_000, 200_000])
        {
            using Sink sink = new(new byte[size]);
            Sender.Result result = await sender.RunAsync(new Sender.SendTask
            {
                Port = sink.Port, Parts = ["GET /a HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray()], Keep = true, Expect = size,
            });
            Assert.Equal((size, "", 0), (result.Received, result.Error, result.Readable.Count));
        }

        await agent.StopAsync(ChildProcess.SIGINT, "exchanges", "exchanges.http");
    }

    /// <summary>The same where the other side speaks first, as servers of databases and mail do.</summary>
    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("all")]
    public async Task What_a_greeting_has_to_read_is_told_right(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await StartAsync(sender, way);
        foreach (int size in (int[])[1, 100, 5000, 100_000])
        {
            using Sink sink = new(Response, greeting: size);
            Sender.Result result = await sender.RunAsync(new Sender.SendTask
            {
                Port = sink.Port, Parts = ["GET /a HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray()], Greeting = size,
            });
            Assert.Equal((size + Response.Length, "", 0), (result.Received, result.Error, result.Readable.Count));
            // Nothing is put into what comes later than that.
            Assert.Equal(0, Without(await sink.Received).Added);
        }

        await agent.StopAsync(ChildProcess.SIGINT, "exchanges", "exchanges.http");
    }

    /// <summary>Data that goes with the SYN has left before anything could be added (RFC 7413).</summary>
    [LiveTheory("python3")]
    [InlineData("headers")]
    [InlineData("tcp")]
    [InlineData("all")]
    public async Task What_goes_with_the_syn_is_left_alone(string way)
    {
        await using TestCgroup group = TestCgroup.Create();
        await using Sender sender = await Sender.StartAsync(group);
        await using AgentProcess agent = await StartAsync(sender, way);
        for (int i = 0; i < 5; i++)
        {
            byte[] sent = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();
            using Sink sink = new(Response, fastOpen: true);
            Sender.Result result = await sender.RunAsync(new Sender.SendTask { Port = sink.Port, Parts = [sent], FastOpen = true });
            Assert.Equal("", result.Error);
            Assert.Equal(sent, Without(await sink.Received).Others);
        }

        await agent.StopAsync(ChildProcess.SIGINT, "exchanges", "exchanges.http");
    }

    private static Task<AgentProcess> StartAsync(Sender sender, string way) =>
        PassingAgent.StartAsync(AgentSettings.ForPorts(sender.Port), way);

    private static (int Added, byte[] Others) Without(byte[] arrived)
    {
        string text = Encoding.Latin1.GetString(arrived);
        int added = Inserted().Count(text);
        return (added, Encoding.Latin1.GetBytes(Inserted().Replace(text, "")));
    }

    /// <summary>As the agent writes it; an application of the tests writes it in other letters.</summary>
    [GeneratedRegex("Traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n", RegexOptions.CultureInvariant)]
    private static partial Regex Inserted();
}
