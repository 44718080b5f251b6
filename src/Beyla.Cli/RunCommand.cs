using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>The agent's main job: check what it may, start what is configured, run until it is stopped.</summary>
internal static class RunCommand
{
    /// <summary>Runs the agent.</summary>
    /// <param name="loaded">The configuration and what is to be said of it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ConfigurationException">The configuration cannot be started; its warnings were written.</exception>
    public static int Run(LoadedConfiguration loaded)
    {
        if (Check(loaded, out var named) is not { } capabilities)
        {
            return ExitCode.CapabilitiesMissing;
        }

        if (Halves.Own != Role.Keeper)
        {
            // native/split.c took the command line for one that runs no agent.
            Log.Error("Beyla cannot go on", ("error", "it was started as one process, and an agent is two"));
            return ExitCode.Failed;
        }

        return KeeperProcess.Run(loaded, named, capabilities);
    }

    /// <summary>Gives up what is not needed, says what is to be said of the configuration, and checks the capabilities.</summary>
    /// <param name="loaded">The configuration.</param>
    /// <param name="named">The contents of <see cref="AgentConfiguration.NamedFiles"/>, read while no capability is effective.</param>
    /// <returns>What the check found; null when the agent may not start with it.</returns>
    private static CapabilityReport? Check(LoadedConfiguration loaded, out IReadOnlyList<string> named)
    {
        var usable = loaded.Problems.Count == 0;
        var facts = HostFactsReader.Read();
        var request = usable ? Permissions.RequestOf(loaded).Within(facts.Capabilities.Permitted) : default;
        // Before the first line is written: that makes the runtime start a thread, and a thread keeps what its creator held.
        var holding = Privilege.Retain(CapabilityCheck.Usable(request, facts));

        // Warnings first: a misspelt name is often the reason for the error.
        if (usable)
        {
            Log.Configure(loaded.Configuration.LogLevel, loaded.Configuration.LogFormat);
        }

        Entry.WarnOf(holding);
        Describe(loaded);
        named = NamedFiles.Read(loaded.ConfigurationToStart.NamedFiles);
        WarnOfUser(facts.User);
        var capabilities = CapabilityCheck.Evaluate(request, facts);
        return MayStart(request, facts, capabilities) ? capabilities : null;
    }

    /// <summary>Writes the warnings of the configuration, then the configuration itself where that was asked for.</summary>
    private static void Describe(LoadedConfiguration loaded)
    {
        foreach (var warning in loaded.Warnings)
        {
            Log.Warn("Configuration", ("warning", warning));
        }

        var configuration = loaded.ConfigurationToStart;
        if (configuration.LogConfig != LoggedConfiguration.None)
        {
            var report = configuration.LogConfig == LoggedConfiguration.Json
                ? ConfigurationReport.ToJson(loaded, all: false, indented: false)
                : ConfigurationReport.ToText(loaded, all: false);
            Log.Info("Running with configuration", ("config", report));
        }
    }

    /// <summary>native/user.c reads it where it can be followed.</summary>
    private static void WarnOfUser(uint? user)
    {
        if (user is not (null or 0) && !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(KeyIndex.WorkerUserVariable)))
        {
            Log.Warn(
                "The worker keeps the caller's user", ("error", KeyIndex.WorkerUserVariable + " counts only where root starts the agent"));
        }
    }

    private static bool MayStart(CapabilityRequest request, HostFacts facts, CapabilityReport capabilities)
    {
        var demanded = request.Features.HasFlag(Feature.FlowProcesses) ? CapabilitySet.Of(Capability.Perfmon) : CapabilitySet.None;
        var start = StartupCheck.MayStart(
            capabilities, request.Enforce, out var lines, demanded, "network.require_process", CapabilityCheck.IsMinimal(request, facts));
        foreach (var line in lines)
        {
            LogField[] fields = [.. line.Fields.Select(field => new LogField(field.Name, field.Value))];
            switch (line.Severity)
            {
                case CheckSeverity.Error:
                    Log.Error(line.Message, fields);
                    break;
                case CheckSeverity.Warning:
                    Log.Warn(line.Message, fields);
                    break;
                case CheckSeverity.Debug:
                    Log.Debug(line.Message, fields);
                    break;
                default:
                    Log.Info(line.Message, fields);
                    break;
            }
        }

        return start;
    }
}
