using System.ComponentModel;
using System.Diagnostics;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// The agent as a child process. Its standard input is held open: when it closes, because this process wants that or is dead, the agent
/// stops (<c>BEYLA_EXIT_WITH_PARENT</c>); one that does not is killed. Nothing is written there but to an agent that reads it, for which
/// its end is the end of the work. It logs in the form that is read here, whatever the caller's environment says.
/// </summary>
public sealed class AgentProcess : IDisposable
{
    /// <summary>How long an agent may take from the end of its standard input to its own end.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1.5);

    private readonly Process process;
    private int released;
    private int disposed;
    private int? exitCode;

    private AgentProcess(Process process) => this.process = process;

    /// <summary>Process id of the agent.</summary>
    public int Id { get; private init; }

    /// <summary>What the agent reads, where it does.</summary>
    public Stream Input => this.process.StandardInput.BaseStream;

    /// <summary>What the agent prints: the stream.</summary>
    public Stream Output => this.process.StandardOutput.BaseStream;

    /// <summary>What the agent logs.</summary>
    public Stream Log => this.process.StandardError.BaseStream;

    /// <summary>Starts the agent.</summary>
    /// <exception cref="AgentException">The operating system refused.</exception>
    public static AgentProcess Start(AgentCommand command)
    {
        command.With("BEYLA_EXIT_WITH_PARENT", command.ReadsInput ? "0" : "1").With("BEYLA_LOG_FORMAT", "text");
        var process = new Process { StartInfo = command.ToStartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception error)
        {
            process.Dispose();
            throw NotStarted(command.Path, error.Message, error);
        }

        var agent = new AgentProcess(process) { Id = process.Id };
        LiveAgents.Add(agent, command.Owner);
        return agent;
    }

    /// <summary>The operating system refused to run the file.</summary>
    internal static AgentException NotStarted(string path, string reason, Exception? inner = null) => new(AgentFault.AgentNotStarted,
        $"The agent '{path}' cannot be started: {reason}",
        "Operation not permitted means that the file carries a capability that this process may not gain "
        + "(bounding set, container, no_new_privs): "
        + $"compare 'getcap {AgentCommand.Quoted(path)}' with CapBnd in /proc/self/status.", path, inner);

    /// <summary>Asks the agent to stop; returns at once. What it still prints can be read until it ends.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref released, 1) != 0)
        {
            return;
        }

        try
        {
            this.process.StandardInput.Close();
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            // The agent is gone already, or another thread is done with it.
        }
    }

    /// <summary>Waits for the end of the agent.</summary>
    /// <returns>The exit code, 128 + n when signal n ended it; null when it still runs.</returns>
    public int? WaitForExit(TimeSpan time)
    {
        if (disposed == 0 && this.process.WaitForExit(time))
        {
            exitCode = this.process.ExitCode;
        }

        return exitCode;
    }

    /// <summary>Ends the agent now.</summary>
    public void Kill()
    {
        try
        {
            this.process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended in between, or its descendants did.
        }
    }

    /// <summary>Stops the agent, first by asking, then by force: within 2 s it is gone.</summary>
    public void Dispose()
    {
        lock (this.process)
        {
            if (disposed != 0)
            {
                return;
            }

            Release();
            if (WaitForExit(Grace) is null)
            {
                Kill();
                WaitForExit(TimeSpan.FromSeconds(0.4));
            }

            disposed = 1;
        }

        LiveAgents.Remove(this);
        this.process.Dispose();
    }
}
