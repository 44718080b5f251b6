using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>
/// Programs that are started through others which execute them (ip netns exec, env, sh -c 'exec …'): what the agent finds out about the
/// wrapper must not undo what the kernel side has begun for the program.
/// </summary>
public sealed class WrapperTests
{
    private const int Runs = 300, Side = 3;

    /// <summary>
    /// The agent is late, since the processors are busy. Each of the programs asks at once, and all of them are seen.
    /// </summary>
    [LiveFact("nginx", "gcc", "env", "sh")]
    public async Task A_program_behind_wrappers_is_seen_from_its_first_call()
    {
        await using TestServer server = await Nginx.StartAsync();
        using TempDirectory directory = new();
        string program = Path.Combine(directory.Path, "quick");
        File.Copy(await NativeProgram.BuildAsync("quick", "-static"), program);
        AgentSettings settings = AgentSettings.ForRules($"exe_path: \"{program}\"");
        List<ChildProcess> busy = [];
        try
        {
            await using AgentProcess agent = await AgentProcess.StartAsync(settings);
            for (int i = 0; i < 3; i++)
            {
                busy.Add(ChildProcess.Start(Tool.Find("sh"), ["-c", "while :; do :; done"]));
            }

            await Parallel.ForAsync(0, Side, async (side, cancel) =>
            {
                for (int run = 0; run < Runs / Side; run++)
                {
                    await Tool.RunAsync(
                        "env", "env", "sh", "-c", "exec env \"$@\"", "sh", program, $"{server.Port}", $"/{side}-{run}");
                }
            });
            IReadOnlyList<SpanRecord> spans = await agent.WaitForRecordsAsync(
                Runs, record => record.Kind == "client" && record.ServerPort == server.Port);
            Assert.Equal(Runs, spans.Select(span => span["url.path"]).Distinct().Count());
            await agent.StopAsync();
        }
        finally
        {
            foreach (ChildProcess loop in busy)
            {
                await loop.DisposeAsync();
            }
        }
    }
}
