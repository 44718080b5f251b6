using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

public sealed class AgentQueryTests : IDisposable
{
    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Fact]
    public void Answer_log_and_exit_code_come_back()
    {
        var answer = AgentQuery.Run(planted.Command("echo yes; printf 'one\\n\\ntwo\\033[31m\\n' >&2; exit 3"), CancellationToken.None);

        Assert.Equal((3, "yes\n"), (answer.ExitCode, answer.Output));
        Assert.Equal(["one", "two\\x1b[31m"], answer.Log);
    }

    [Fact]
    public void An_answer_without_end_is_refused()
    {
        var error = Assert.Throws<AgentException>(
            () => AgentQuery.Run(planted.Command("head -c 30000000 /dev/zero"), CancellationToken.None));

        Assert.Equal(AgentFault.StreamInvalid, error.Kind);
    }

    [Fact]
    public void An_agent_that_does_not_answer_is_given_up_and_gone()
    {
        var taken = Timed.Run(() => Assert.Equal(AgentFault.AgentSilent,
            Assert.Throws<AgentException>(() =>
                AgentQuery.Run(planted.Command("exec sleep 60"), CancellationToken.None, TimeSpan.FromSeconds(0.5))).Kind));

        Assert.InRange(taken, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(30));
        Assert.Equal(0, LiveAgents.Count);
    }

    [Fact]
    public void A_killed_agent_is_an_error()
    {
        Assert.Equal(AgentFault.AgentDied,
            Assert.Throws<AgentException>(() => AgentQuery.Run(planted.Command("kill -9 $$"), CancellationToken.None)).Kind);
    }
}
