using System.Text;

namespace Beyla.Agent.Configuration;

/// <summary>What <c>beyla --help</c> prints.</summary>
public static class HelpText
{
    /// <summary>The text, in lines of at most 100 characters.</summary>
    /// <param name="commands">Further commands with one line of help each; <c>config</c> is known here.</param>
    public static string Make(IEnumerable<(string Name, string Help)> commands)
    {
        var text = new StringBuilder("""
            beyla sees what the services of this host say to each other, without touching them: HTTP requests as
            spans, network conversations as flows, observed by eBPF in the kernel.

            Usage:
              beyla [OPTIONS]              trace until stopped; results go to standard output, logs to stderr
              beyla config [OPTIONS]       print the effective configuration and where each value comes from
                                           (--json: as JSON; --all: also settings that this agent does not have)

            """);
        foreach (var (name, help) in commands)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  beyla {name,-22} {help}\n");
        }

        text.Append("\nOptions:\n");
        Line(text, "--config FILE", "YAML configuration file, also BEYLA_CONFIG_PATH");
        foreach (var option in CommandLineOption.All)
        {
            Line(text, option.Argument is null ? option.Name : $"{option.Name} {option.Argument}", option.Help);
        }

        Line(text, "--set KEY=VALUE", "any setting by its YAML path, may be repeated: network.sampling=10");
        Line(text, "-h, --help", "print this text");
        Line(text, "-V, --version", "print the version");
        return text.Append("""

            Environment (overrides the file; the command line overrides both; OTEL_EBPF_X also works):
              BEYLA_OPEN_PORT              as --open-port; a process must match all selectors
              BEYLA_AUTO_TARGET_EXE        as --executable
              BEYLA_TARGET_PID             as --pid
              BEYLA_AUTO_TARGET_LANGUAGE   as --language
              BEYLA_TRACE_PRINTER          as --trace-printer
              BEYLA_NETWORK_METRICS        true: watch network flows
              BEYLA_NETWORK_SOURCE         as --network-source
              BEYLA_NETWORK_PRINT_FLOWS    true: print flows
              BEYLA_ENFORCE_SYS_CAPS       true: exit with 3 when a capability is missing
              BEYLA_LOG_LEVEL              as --log-level
            All settings: beyla config --all, and docs/configuration.md.

            Exit codes:
              0  stopped as asked, by a signal or because standard output was closed
              1  failed while running
              2  bad usage or configuration; nothing was loaded into the kernel
              3  capabilities are missing and BEYLA_ENFORCE_SYS_CAPS is set; nothing was loaded

            Signals, to the process that was started (its child, "beyla: worker" in ps, is told by it):
              SIGINT, SIGTERM  detach, print what is left and the counters, and end within 2 seconds;
                               also if the caller starts it with them ignored, as a script does with &
              SIGHUP           the same, but ignored under nohup
              SIGUSR1          print the counters and continue

            Examples:
              beyla --open-port 8080 --trace-printer text
              beyla --executable '*/nginx' --trace-printer json
              beyla --network --print-flows

            """).ToString();
    }

    private static void Line(StringBuilder text, string option, string help) =>
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {option,-28} {help}\n");
}
