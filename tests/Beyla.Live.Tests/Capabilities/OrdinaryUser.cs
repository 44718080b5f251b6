using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>Runs a copy of the agent, with given file capabilities, as a user who has nothing else.</summary>
internal sealed class OrdinaryUser : IDisposable
{
    // nobody and nogroup of Debian
    private const string User = "65534";

    private readonly CapableAgent agent;

    private OrdinaryUser(CapableAgent agent) => this.agent = agent;

    /// <summary>The path of the copy.</summary>
    public string Binary => this.agent.Run(new AgentSettings()).Binary;

    /// <param name="capabilities">As setcap(8) takes them, without flags; empty for none.</param>
    /// <param name="flags">Permitted as the agent writes them, or <c>ep</c> as the documentation does.</param>
    public static async Task<OrdinaryUser> CreateAsync(string capabilities, string flags = "p") =>
        new(await CapableAgent.CreateAsync(capabilities.Length == 0 ? "" : $"{capabilities}={flags}"));

    /// <summary>The settings, run by that user.</summary>
    /// <param name="settings">What the agent is told.</param>
    /// <param name="options">More options of setpriv(1).</param>
    public AgentSettings Run(AgentSettings settings, params string[] options) => settings with
    {
        Binary = Binary,
        Prefix =
        [
            "setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups",
            .. options.Any(option => option.StartsWith("--inh-caps", StringComparison.Ordinal))
                ? options : ["--inh-caps=-all", .. options], "--",
        ],
    };

    /// <summary>Runs <c>beyla ARGUMENTS</c> as that user to its end.</summary>
    public async Task<(int Status, string Output, string Errors)> CommandAsync(IEnumerable<string> arguments, params string[] options)
    {
        await using AgentProcess agent = AgentProcess.Launch(Run(new AgentSettings { Arguments = [.. arguments] }, options));
        int status = await agent.WaitForExitAsync(Wait.Hang);
        return (status, agent.Output, agent.Errors);
    }

    public void Dispose() => this.agent.Dispose();
}
