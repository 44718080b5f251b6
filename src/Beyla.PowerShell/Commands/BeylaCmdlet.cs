using System.Management.Automation;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Commands;

/// <summary>What all cmdlets of the module share: where the agent is, how they are stopped, how errors reach the user.</summary>
public abstract class BeylaCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource stop = new();

    /// <summary>
    /// Path of the agent to run. Default: the agent that came with the module, else the first beyla in PATH. The path may be
    /// relative.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AgentPath { get; set; }

    /// <summary>Cancelled when the pipeline is stopped.</summary>
    protected CancellationToken StopToken => stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => stop.Cancel();

    /// <summary>Frees what the cmdlet holds.</summary>
    /// <param name="disposing">Always true.</param>
    protected virtual void Dispose(bool disposing) => stop.Dispose();

    /// <summary>The agent to run.</summary>
    /// <exception cref="AgentException">There is none that can run.</exception>
    protected string FindAgent() => AgentFile.Find(AgentPath is null ? null : FullPath(AgentPath));

    /// <summary>The path in the file system that the user means, seen from the current location.</summary>
    protected string FullPath(string path) => SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);

    /// <summary>Does the work of the cmdlet and turns what goes wrong into PowerShell's errors.</summary>
    protected void Guard(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            work();
        }
        catch (AgentException error)
        {
            ThrowTerminatingError(error.ToErrorRecord());
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            // The user stopped the pipeline; PowerShell says so itself.
        }
    }
}
