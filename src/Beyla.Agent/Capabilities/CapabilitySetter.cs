using System.Runtime.CompilerServices;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Capabilities;

/// <summary>Writes and removes the file capabilities of an agent binary.</summary>
internal static class CapabilitySetter
{
    private const int Done = 0, Failed = 1;

    /// <summary>
    /// Writes file capabilities to the agent's binary (<c>beyla capability set</c>). Returns the exit code: 0 done, 1 failed.
    /// </summary>
    internal static int Set(CapabilityOptions options, Func<Version, CapabilitySet> choose, TextWriter output, TextWriter error)
    {
        using var file = OpenAgent(options);
        if (!TryHoldStill(file, out var leased))
        {
            return Refused(file, "a process has it open for writing", error);
        }

        if (AgentFileRules.Refuse(file) is { } reason)
        {
            return Refused(file, reason, error);
        }

        var facts = HostFactsReader.Read();
        var wanted = options.Capabilities ?? choose(facts.Kernel);
        var bounding = facts.Capabilities.Bounding;
        var set = wanted & bounding;
        foreach (var capability in wanted.Except(bounding))
        {
            error.WriteLine(
                $"{capability.Name()} is left out: the bounding set of this process excludes it, so no exec here could give it");
        }

        if (set.IsEmpty)
        {
            return Refused(file, "nothing of what it needs is in the bounding set", error);
        }

        // Permitted, not effective: the keeper raises each for the calls that need it, and an exec under a smaller bounding set still
        // starts.
        var capabilities = new FileCapabilities(set, CapabilitySet.None, Effective: false);
        if (options.Add && file.Read() is { } carried)
        {
            if (carried.RootUser != 0)
            {
                // Those count in that namespace alone. Written again by us they would count everywhere.
                return Refused(
                    file,
                    $"what it carries is for the user namespace whose root is user {carried.RootUser}; beyla capability clear first",
                    error);
            }

            capabilities = capabilities with { Permitted = set | carried.Permitted, Inheritable = carried.Inheritable };
        }

        var written = WithRight(
            () => file.Write(capabilities), file,
            $"sudo setcap {ShellText.Quote(capabilities.ToString())} {ShellText.Quote(file.Path)}", error);
        // A write takes the capabilities away again, so what is there now is what carries them.
        if (written && !leased && AgentFileRules.Refuse(file) is { } changed)
        {
            _ = WithRight(() => file.Remove(), file, "", error);
            return Refused(file, $"it was changed meanwhile: {changed}", error);
        }

        if (written)
        {
            output.WriteLine($"{LogText.Escape(file.Path)}: {file.Read()}");
        }

        return written ? Done : Failed;
    }

    private static bool TryHoldStill(CapabilityFile file, out bool leased)
    {
        leased = false;
        try
        {
            using var raised = Privilege.Raise(Capability.Lease);
            leased = file.HoldStill();
            return true;
        }
        catch (KernelException exception) when (exception.Errno == Errno.EAGAIN)
        {
            return false;
        }
    }

    /// <summary>
    /// Removes the file capabilities of the agent's binary (<c>beyla capability clear</c>). Returns the exit code: 0 done, 1 failed.
    /// </summary>
    internal static int Clear(CapabilityOptions options, TextWriter output, TextWriter error)
    {
        using var file = OpenAgent(options);
        var removed = false;
        var done = WithRight(() => removed = file.Remove(), file, $"sudo setcap -r {ShellText.Quote(file.Path)}", error);
        if (done)
        {
            output.WriteLine($"{LogText.Escape(file.Path)}: {(removed ? "file capabilities removed" : "had no file capabilities")}");
        }

        return done ? Done : Failed;
    }

    private static CapabilityFile OpenAgent(CapabilityOptions options)
    {
        if (options.File is { } path)
        {
            return CapabilityFile.Open(Path.GetFullPath(path));
        }

        // Compiled at run time, the process is a host of CoreCLR and its file not the agent.
        return RuntimeFeature.IsDynamicCodeSupported || Environment.ProcessPath is not { } own
            ? throw new IOException("this process is not the agent's own binary; name one with --file")
            : CapabilityFile.OpenOwn(own);
    }

    private static bool WithRight(Action change, CapabilityFile file, string command, TextWriter error)
    {
        try
        {
            using (Privilege.Raise(Capability.Setfcap))
            {
                change();
            }

            return true;
        }
        catch (KernelException exception) when (exception.Errno == Errno.EPERM)
        {
            error.WriteLine($"beyla capability: {LogText.Escape(exception.Message)}; that takes CAP_SETFCAP. Run:\n{command}");
        }
        catch (KernelException exception) when (exception.Errno == Errno.EOPNOTSUPP)
        {
            error.WriteLine(
                $"beyla capability: {LogText.Escape(exception.Message)}; "
                + $"its file system cannot hold file capabilities, put {LogText.Escape(file.Path)} on another");
        }

        return false;
    }

    private static int Refused(CapabilityFile file, string reason, TextWriter error)
    {
        error.WriteLine($"beyla capability: {LogText.Escape(file.Path)} gets no capabilities: {reason}");
        return Failed;
    }
}
