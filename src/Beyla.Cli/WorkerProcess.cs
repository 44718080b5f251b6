using System.Text;
using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Linux.SystemCalls;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>
/// The process that reads and decodes what others sent. What is wrong with the command line, the configuration or the capabilities the
/// keeper says; this one ends silently then.
/// </summary>
internal static class WorkerProcess
{
    /// <summary>Whether the kernel refuses this process the system calls that it does not need.</summary>
    public static bool IsFiltered { get; private set; }

    /// <summary>Runs the worker.</summary>
    /// <param name="arguments">The command line without the program's name, the same as the keeper's.</param>
    /// <returns>The exit code, which becomes that of the keeper.</returns>
    public static int Run(string[] arguments)
    {
        _ = Privilege.Initialize(CapabilitySet.None);
        _ = TimeZoneVariable.Settle(ConfigurationFile.HasRaisedRights);
        using var keeper = new KeeperConnection(new MessageSocket(Halves.Channel));
        var isConfigured = false;
        try
        {
            var commandLine = CommandLine.Parse(arguments, Entry.CommandNames);
            if (!keeper.TryConfigure(out var control, out var file))
            {
                return ExitCode.Failed;
            }

            using var notices = new MessageSocket(control);
            var configuration = ConfigurationLoader.Load(commandLine, file < 0 ? null : MemoryFile.Take(file)).ConfigurationToStart;
            Log.Configure(configuration.LogLevel, configuration.LogFormat);
            isConfigured = true;
            return Run(configuration, keeper, notices);
        }
        catch (ConfigurationException failure)
        {
            // What is in a file that the configuration names (a certificate) only the worker decodes.
            if (isConfigured)
            {
                Log.Error("Beyla cannot go on", ("error", failure.Message));
            }

            return ExitCode.BadUsage;
        }
        catch (KernelException failure)
        {
            Log.Error("Beyla cannot go on", ("error", failure.Message));
            return ExitCode.Failed;
        }
    }

    private static int Run(AgentConfiguration configuration, KeeperConnection keeper, MessageSocket notices)
    {
        // Before the first byte of others is read, which the start does already in threads of its own.
        CloseIn(configuration);
        using var agent = RunningAgent.TryStart(configuration, keeper);
        if (agent is null)
        {
            return ExitCode.Failed;
        }

        new Thread(() => Listen(notices, agent.Signals)) { IsBackground = true, Name = "notices" }.Start();
        Halves.ReleaseMemory();
        agent.Serve();
        return agent.Stop();
    }

    /// <summary>From here on only what the work needs is left of the system calls.</summary>
    private static void CloseIn(AgentConfiguration configuration)
    {
        try
        {
            SystemCallFilter.Install(NeedsOf(configuration), Halves.Life);
            IsFiltered = true;
        }
        catch (KernelException refusal)
        {
            Log.Warn(
                "The worker keeps all system calls", ("error", refusal.Message),
                ("fix", "a kernel with CONFIG_SECCOMP_FILTER, and no filter around the agent that forbids seccomp: "
                    + "export the systemd unit again where an older version wrote it (beyla capability export --format systemd)"));
        }
    }

    private static WorkerNeeds NeedsOf(AgentConfiguration configuration) =>
        configuration.Exports ? WorkerNeeds.Network | WorkerNeeds.Names
            : configuration.Network is { Enabled: true, ReverseDns: ReverseDnsType.Local } ? WorkerNeeds.Names : WorkerNeeds.None;

    private static void Listen(MessageSocket notices, StopSignals signals)
    {
        var notice = new byte[256];
        var descriptors = new int[MessageSocket.MaximumDescriptors];
        while (notices.Receive(notice, descriptors, out _) is >= sizeof(uint) and var length)
        {
            if (BitConverter.ToUInt32(notice) == (uint)KeeperNotice.Report)
            {
                signals.Report();
            }
            else
            {
                signals.Request(Encoding.UTF8.GetString(notice.AsSpan(sizeof(uint), length - sizeof(uint))));
            }
        }

        signals.Request("the keeper is gone");
    }
}
