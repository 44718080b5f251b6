using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// A systemd unit that an older version exported has a filter of system calls without those by which the worker closes itself in: all that
/// the agent calls but them, which ExportTests holds. The filter answers with an error number, as that unit asks.
/// </summary>
public sealed class OlderUnitTests
{
    // asm/unistd_64.h: seccomp, landlock_create_ruleset, landlock_add_rule, landlock_restrict_self.
    private const string Missing = "317,444,445,446";

    /// <summary>EPERM, as the unit says; ENOSYS, as systemd answers where it does not know a call (systemd.exec(5)).</summary>
    [LiveTheory("gcc", "nginx", "setpriv")]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(38, true)]
    public async Task The_worker_starts_works_and_says_that_it_is_not_closed_in(int errno, bool asUser)
    {
        // The unit's user has no right to the files of a test's directory, and its capabilities are ambient.
        string capabilities = "+bpf,+perfmon,+sys_ptrace,+dac_read_search";
        string[] user = asUser
            ? [Tool.Find("setpriv"), "--reuid=65533", "--regid=65533", "--clear-groups",
                $"--inh-caps={capabilities}", $"--ambient-caps={capabilities}"]
            : [];
        string refuse = await NativeProgram.BuildAsync("refuse");
        await using TestServer server = await Nginx.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port) with
        {
            Prefix = [.. user, refuse, errno.ToString(CultureInfo.InvariantCulture), Missing],
        });
        await HttpRequests.SendAsync(server.Port, 10);
        await agent.WaitForServerSpansAsync(10);
        agent.Signal(ChildProcess.SIGUSR1);
        Assert.True(await Wait.UntilAsync(
            () => agent.ErrorLines.Any(line => line.StartsWith("worker: ", StringComparison.Ordinal)), Wait.Hang), agent.Errors);
        string worker = agent.ErrorLines.First(line => line.StartsWith("worker: ", StringComparison.Ordinal));
        Assert.Contains("effective=none permitted=none", worker, StringComparison.Ordinal);
        Assert.EndsWith(" seccomp=no landlock=0", worker, StringComparison.Ordinal);
        string said = Assert.Single(
            agent.ErrorLines, line => line.Contains("The worker keeps all system calls", StringComparison.Ordinal));
        Assert.Contains("export the systemd unit again", said, StringComparison.Ordinal);
        await agent.StopAsync();
    }
}
