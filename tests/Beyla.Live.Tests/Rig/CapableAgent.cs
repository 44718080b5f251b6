namespace Beyla.Live.Tests.Rig;

/// <summary>A copy of the agent that carries exactly the given file capabilities, run by an ordinary user.</summary>
internal sealed class CapableAgent : IDisposable
{
    // nobody and nogroup of Debian
    private const string User = "65534";

    private readonly TempDirectory directory = new();
    private readonly string binary;

    private CapableAgent() => binary = Path.Combine(directory.Path, "beyla");

    /// <param name="capabilities">What setcap takes, such as <c>cap_bpf,cap_perfmon+ep</c>; empty for none.</param>
    public static async Task<CapableAgent> CreateAsync(string capabilities)
    {
        CapableAgent agent = new();
        File.Copy(Repository.Agent, agent.binary);
        File.SetUnixFileMode(agent.binary, (UnixFileMode)0b111_101_101);
        if (capabilities.Length > 0)
        {
            await Tool.RunAsync("setcap", capabilities, agent.binary);
        }

        return agent;
    }

    /// <summary>The given settings, run by an ordinary user.</summary>
    public AgentSettings Run(AgentSettings settings) => settings with
    {
        Binary = binary,
        Prefix = ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--inh-caps=-all", "--"],
    };

    public void Dispose() => directory.Dispose();
}
