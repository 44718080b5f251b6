using System.Globalization;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Clients;

/// <summary>What tests/native/sending.c says of one answer. Times are CLOCK_MONOTONIC in nanoseconds.</summary>
/// <param name="Path">The request.</param>
/// <param name="Body">Body bytes that the server's socket took.</param>
/// <param name="Read">After the request was read.</param>
/// <param name="Before">Before the call that took the last bytes.</param>
/// <param name="After">After that call.</param>
internal sealed record SentAnswer(string Path, long Body, long Read, long Before, long After);

/// <summary>The clients in tests/native/sending.c.</summary>
internal static class SendingClient
{
    /// <summary>Starts a client, which waits for <see cref="FinishAsync"/>; run by another command where there is one.</summary>
    public static async Task<ChildProcess> StartAsync(IEnumerable<string> prefix, string what, int port, params string[] arguments)
    {
        List<string> command = [.. prefix, await NativeProgram.BuildAsync("sending"), what,
            port.ToString(CultureInfo.InvariantCulture), .. arguments];
        return ChildProcess.Start(command[0], command.Skip(1));
    }

    /// <summary>Lets a client go and waits for its end.</summary>
    /// <returns>The numbers of its last line.</returns>
    public static async Task<long[]> FinishAsync(ChildProcess client)
    {
        client.CloseInput();
        int status = await client.WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.True(status == 0, $"The client ended with {status}: {client.Errors}");
        return [.. client.Output.Split('\n')[^1].Split(' ').Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
    }

    /// <summary>Runs a client from start to end.</summary>
    public static async Task<long[]> RunAsync(string what, int port, params string[] arguments)
    {
        await using ChildProcess client = await StartAsync([], what, port, arguments);
        return await FinishAsync(client);
    }

    /// <summary>Waits for what the server says of a request.</summary>
    public static async Task<SentAnswer> TruthAsync(TestServer server, string path)
    {
        string? Line() => server.Process.Output.Split('\n').FirstOrDefault(line => line.StartsWith(path + " ", StringComparison.Ordinal));
        Assert.True(await Wait.UntilAsync(() => Line() is not null, TimeSpan.FromSeconds(20)),
            $"The server says nothing of {path}: {server.Process.Errors}");
        string[] words = Line()!.Split(' ');
        long Number(int i) => long.Parse(words[i], CultureInfo.InvariantCulture);
        return new SentAnswer(words[0], Number(1), Number(2), Number(3), Number(4));
    }
}
