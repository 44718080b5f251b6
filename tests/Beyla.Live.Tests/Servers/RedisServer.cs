using System.Globalization;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>Redis on a free port of 127.0.0.1, which keeps nothing on disk.</summary>
internal sealed partial class RedisServer : IAsyncDisposable
{
    private readonly TestServer server;

    private RedisServer(TestServer server) => this.server = server;

    public int Port => this.server.Port;

    public int Pid => this.server.Pid;

    /// <summary>Starts the server.</summary>
    /// <param name="settings">More settings, as on its command line.</param>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        return new RedisServer(await TestServer.StartAsync(
            port,
            [Tool.Find("redis-server"), "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", files.Path, "--maxclients", "4000", .. settings],
            files: files));
    }

    /// <summary>
    /// How often each command was run, by its own statistics: lower case, a sub-command after a bar (<c>config|set</c>). Only what was run:
    /// a command that it rejected (unknown, wrong arguments, denied) is counted where <paramref name="rejected"/> asks for it.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, int>> CommandsAsync(bool rejected = true)
    {
        string statistics = await CliAsync("INFO", "commandstats");
        return CommandStatistics().Matches(statistics).ToDictionary(
            match => match.Groups[1].Value,
            match => Number(match.Groups[2]) + (rejected ? Number(match.Groups[3]) : 0),
            StringComparer.Ordinal);

        static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);
    }

    /// <summary>Runs one command by redis-cli.</summary>
    public Task<string> CliAsync(params string[] command) =>
        Tool.RunAsync("redis-cli", ["-p", Port.ToString(CultureInfo.InvariantCulture), .. command]);

    public ValueTask DisposeAsync() => this.server.DisposeAsync();

    [GeneratedRegex(@"^cmdstat_(\S+):calls=(\d+),.*rejected_calls=(\d+)", RegexOptions.Multiline)]
    private static partial Regex CommandStatistics();
}
