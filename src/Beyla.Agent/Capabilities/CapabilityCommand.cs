using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Agent.Capabilities;

/// <summary><c>beyla capability test|set|clear|export</c>.</summary>
public static class CapabilityCommand
{
    private const int Done = 0, Failed = 1, BadUsage = 2;

    /// <summary>The text of <c>beyla capability --help</c>.</summary>
    public const string Help = """
        usage: beyla capability test   [--json] [--probe | --file AGENT] [options as for running]
               beyla capability set    [--add] [--minimal | --capability LIST] [--file AGENT] [options as for running]
               beyla capability clear  [--file AGENT]
               beyla capability export --format systemd|kubernetes|docker [--minimal] [--file AGENT]
        """
        + """
         [--image IMAGE] [options as for running]

        test     says for each capability whether the agent has it, what it is for, what does not work without it and how to get it
        set      writes file capabilities to the agent's binary; needs CAP_SETFCAP, so run it with sudo
        clear    removes them
        export   prints a systemd unit, a Kubernetes DaemonSet or a docker command with exactly these capabilities

        The configuration decides: BEYLA_* variables and options as for running, or
          --scenario network|network-tc|application|application-propagation
        --capability cap_bpf,...  exactly these, whatever the configuration
        --add      keeps the capabilities that the file has already; without it set replaces them
        --minimal  what this agent needs, instead of the documented list for the configuration
        --probe    also loads each program and opens each file, for the kernel's own answer; nothing is attached
        --file     another copy of the agent; the default is the one that runs. With test: reports what that file gives to an ordinary user
                   who runs it, instead of what this process holds
        --json     one line of JSON

        exit codes: 0 done, or nothing needed is missing; 1 failed; 2 bad usage or configuration; 3 capabilities are missing

        """;

    /// <summary>Runs the command.</summary>
    /// <param name="arguments">What comes after <c>capability</c>, without the options of the configuration.</param>
    /// <param name="configure">Reads the configuration; what it throws passes through. Not asked where it does not matter.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where errors go.</param>
    /// <param name="settings">The same configuration as variables, for <c>export</c>; null for none.</param>
    /// <returns>The exit code.</returns>
    public static int Run(
        IReadOnlyList<string> arguments, Func<CapabilityRequest> configure,
        TextWriter output, TextWriter error, Func<DeploymentSettings>? settings = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(configure);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        try
        {
            var options = CapabilityOptions.Parse(arguments);
            if (options.Help)
            {
                output.Write(Help);
                return Done;
            }

            return options.Verb switch
            {
                "test" => Test(options, Request(options, configure), output),
                "set" => CapabilitySetter.Set(
                    options, kernel => Choose(options, Request(options, configure).Within(CapabilitySet.None), kernel), output, error),
                "clear" => CapabilitySetter.Clear(options, output, error),
                "export" => Export(
                    options, Request(options, configure).Within(CapabilitySet.None),
                    options.Scenario is { } named ? DeploymentSettings.Of(named) : settings?.Invoke() ?? DeploymentSettings.None,
                    output),
                "" => throw new FormatException("say what to do: test, set, clear or export"),
                var verb => throw new FormatException($"'{verb}' is not one of test, set, clear, export"),
            };
        }
        catch (FormatException exception)
        {
            error.WriteLine($"beyla capability: {LogText.Escape(exception.Message)}; see beyla capability --help");
            return BadUsage;
        }
        catch (Exception exception) when (exception is KernelException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"beyla capability: {LogText.Escape(exception.Message)}");
            return Failed;
        }
    }

    private static CapabilityRequest Request(CapabilityOptions options, Func<CapabilityRequest> configure)
    {
        var request = options.Scenario is { } scenario ? new CapabilityRequest(scenario.Features) : configure();
        return request.Features != Feature.None
            ? request
            : throw new FormatException("nothing is asked for: set BEYLA_OPEN_PORT or BEYLA_NETWORK_METRICS=1, or give --scenario");
    }

    private static CapabilitySet Choose(CapabilityOptions options, CapabilityRequest request, Version kernel) =>
        options.Minimal ? CapabilityCheck.Needed(request, kernel) : CapabilityCheck.Documented(request, kernel);

    private static int Test(CapabilityOptions options, CapabilityRequest request, TextWriter output)
    {
        if (options.Probe && options.File is not null)
        {
            throw new FormatException("--probe asks the kernel about this process, and --file about a file: give one of them");
        }

        var facts = options.File is { } path ? HostFactsReader.ReadForFile(Path.GetFullPath(path)) : HostFactsReader.Read();
        request = request.Within(facts.Capabilities.Permitted);
        var report = CapabilityCheck.Evaluate(request, facts);
        if (options.Probe)
        {
            report = report with { Probes = CapabilityProbes.Run(request, facts) };
        }

        if (options.Json)
        {
            output.WriteLine(CapabilityJson.Write(report));
        }
        else
        {
            CapabilityReportText.Write(report, output);
        }

        return report.NeededPresent && (report.DocumentedPresent || !request.Enforce) ? Done : StartupCheck.ExitCode;
    }

    private static int Export(CapabilityOptions options, CapabilityRequest request, DeploymentSettings settings, TextWriter output)
    {
        var format = options.Format
            ?? throw new FormatException($"--format is missing: one of {string.Join(", ", CapabilityExport.Formats)}");
        if (!CapabilityExport.Formats.Contains(format))
        {
            throw new FormatException($"--format {format}: not one of {string.Join(", ", CapabilityExport.Formats)}");
        }

        var (agent, image) = (options.File ?? "/usr/local/bin/beyla", options.Image ?? "beyla:latest");
        if (agent.Any(char.IsControl) || image.Any(char.IsControl))
        {
            throw new FormatException("--file and --image take no control characters");
        }

        if (agent[..Math.Min(1, agent.Length)] is not "/")
        {
            throw new FormatException($"--file {agent}: the path on the target is absolute");
        }

        // A deployment is for another host, of which only this much is assumed: a kernel that has the capabilities.
        var kernel = HostFactsReader.Read().Kernel;
        output.Write(CapabilityExport.Write(format, request, Choose(options, request, kernel), settings, agent, image));
        return Done;
    }
}
