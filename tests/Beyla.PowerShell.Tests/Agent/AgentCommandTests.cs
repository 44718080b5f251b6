using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Tests.Agent;

public sealed class AgentCommandTests : IDisposable
{
    private readonly Planted planted = new();

    public void Dispose() => planted.Dispose();

    [Fact]
    public void The_text_is_a_command_that_a_shell_understands()
    {
        var command = new AgentCommand("/opt/my agent/beyla", "--set", "a=b c")
            .With("BEYLA_OPEN_PORT", "80,90-95").With("BEYLA_X", "it's").With("BEYLA_NOT", null);

        Assert.Equal("BEYLA_OPEN_PORT=80,90-95 BEYLA_X='it'\\''s' '/opt/my agent/beyla' --set 'a=b c'", command.ToString());
    }

    [Theory]
    [InlineData(1.5, "1500ms")]
    [InlineData(0.0005, "500us")]
    [InlineData(90, "90000ms")]
    public void Durations_are_written_as_the_agent_reads_them(double seconds, string text) =>
        Assert.Equal(text, AgentCommand.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Settings_win_over_the_environment_and_arguments_stay_words()
    {
        var agent = planted.Agent("""printf '%s|' "$1" "$2" "$BEYLA_TEST_SETTING" "$BEYLA_EXIT_WITH_PARENT" """);
        var command = new AgentCommand(agent, "a b", "*").With("BEYLA_TEST_SETTING", "new");
        Environment.SetEnvironmentVariable("BEYLA_TEST_SETTING", "old");
        try
        {
            Assert.Equal("a b|*|new|1|", AgentQuery.Run(command, CancellationToken.None).Output);
        }
        finally
        {
            Environment.SetEnvironmentVariable("BEYLA_TEST_SETTING", null);
        }
    }

    [Fact]
    public void The_agent_has_a_session_of_its_own_so_that_the_terminal_cannot_interrupt_it()
    {
        // Field 6 of proc_pid_stat(5) is the session.
        var answer = AgentQuery.Run(planted.Command("""echo $$ $(cut -d ' ' -f 6 /proc/$$/stat)"""), CancellationToken.None);

        var words = answer.Output.Trim().Split(' ');
        Assert.Equal(words[0], words[1]);
    }
}
