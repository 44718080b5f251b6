using Beyla.Agent.Capabilities;
using Beyla.Agent.Configuration;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>Exit codes of the executable; documented in <c>--help</c>.</summary>
internal static class ExitCode
{
    /// <summary>
    /// Ended as asked; failed while it ran; the command line or the configuration cannot be used; capabilities are missing.
    /// </summary>
    public const int Stopped = 0, Failed = 1, BadUsage = 2, CapabilitiesMissing = StartupCheck.ExitCode;
}

/// <summary>From the command line to an exit code.</summary>
internal static class Entry
{
    private static readonly (string Name, string Help)[] Commands =
    [
        ("capability", "what the configuration needs, and setting it: test, set, clear, export"),
        (ExportCommand.Name, "send a recording (JSON lines) to another system: beyla export --help"),
    ];

    /// <summary>The words that a command line may begin with.</summary>
    public static IReadOnlyCollection<string> CommandNames { get; } = ["config", .. Commands.Select(command => command.Name)];

    /// <param name="arguments">The command line without the program's name.</param>
    /// <param name="lower">Gives up what must not be held; returns the threads that still hold capabilities. Called first of all.</param>
    public static int Run(string[] arguments, Func<IReadOnlyList<ThreadPrivilege>> lower)
    {
        try
        {
            var holding = lower();
            var zone = TimeZoneVariable.Settle(ConfigurationFile.HasRaisedRights);
            var commandLine = CommandLine.Parse(arguments, CommandNames);
            if (commandLine.Command == ExportCommand.Name)
            {
                // It reads what others have written, and needs none.
                holding = Privilege.Retain(CapabilitySet.None);
            }

            if (commandLine.Help)
            {
                Console.Out.Write(commandLine.Command switch
                {
                    "capability" => CapabilityCommand.Help,
                    ExportCommand.Name => ExportCommand.Help,
                    _ => HelpText.Make(Commands),
                });
                return ExitCode.Stopped;
            }

            if (commandLine.Version)
            {
                Console.Out.WriteLine($"beyla {AgentVersion.Text}");
                return ExitCode.Stopped;
            }

            WarnOf(holding);
            if (zone is not null)
            {
                Log.Warn("The environment names a time zone that is not used", ("warning", zone));
            }

            var loaded = ConfigurationLoader.Load(commandLine);
            return commandLine.Command switch
            {
                "config" => ConfigurationReport.Run(loaded, commandLine.Remaining, Console.Out, Console.Error),
                "capability" => CapabilityCommand.Run(
                    commandLine.Remaining, () => Permissions.RequestOf(loaded),
                    Console.Out, Console.Error, () => Permissions.SettingsOf(loaded)),
                ExportCommand.Name => ExportCommand.Run(loaded, commandLine.Remaining),
                _ => RunCommand.Run(loaded),
            };
        }
        catch (ConfigurationException problems)
        {
            foreach (var problem in problems.Problems)
            {
                Log.Error("Wrong configuration", ("error", problem));
            }

            return ExitCode.BadUsage;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Above all: the answer cannot be written to standard output.
            Log.Error("Beyla cannot go on", ("error", failure.Message));
            return ExitCode.Failed;
        }
        catch (KernelException failure)
        {
            Log.Debug("The whole log of the kernel", ("log", failure.Log));
            Log.Error("Beyla cannot go on", ("error", failure.Message));
            return ExitCode.Failed;
        }
    }

    /// <summary>Says which threads kept capabilities that they should have given up.</summary>
    internal static void WarnOf(IReadOnlyList<ThreadPrivilege> holding)
    {
        foreach (var thread in holding)
        {
            Log.Warn(
                "A thread still holds capabilities",
                ("thread", thread.Name),
                ("effective", thread.Capabilities.Effective.ToString()),
                ("permitted", thread.Capabilities.Permitted.ToString()));
        }
    }
}

/// <summary>The version of this build.</summary>
internal static class AgentVersion
{
    /// <summary>Three numbers with dots, as in <c>beyla --version</c>.</summary>
    public static string Text { get; } = typeof(AgentVersion).Assembly.GetName().Version?.ToString(3) ?? "0";
}
