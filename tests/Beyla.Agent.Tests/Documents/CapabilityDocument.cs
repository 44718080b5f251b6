using System.Text;
using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Documents;

/// <summary>
/// Makes docs/capabilities.md from the table. A test compares the file with this, so that neither can drift from the other.
/// </summary>
internal static class CapabilityDocument
{
    // A kernel on which every capability exists and no old rule applies.
    private static readonly Version Current = new(6, 12);

    internal static string Write()
    {
        var text = new StringBuilder("""
            # Capabilities

            <!-- Made from src/Beyla.Agent/Capabilities/CapabilityTable.cs. Do not edit; BEYLA_UPDATE_DOCS=1 dotnet test tests/Beyla.Agent.Tests --filter Document -->

            Which Linux capabilities the agent needs, why, and what does not work without them. This page uses two words with an exact meaning:

            - **listed**: the published documentation names the capability for that configuration. The warning at start is about listed
              capabilities. With `BEYLA_ENFORCE_SYS_CAPS=1` a missing one is an error (exit code 3, nothing loaded). If an agent has all that it needs and
              nothing that it cannot use, it was given the minimal set on purpose: the rest of the list is then one line at log level DEBUG.
            - **needed**: without the capability, this agent cannot do a part of what was asked. The live tests execute each of these rows: without the
              capability, the call named here fails with the errno named here, and everything else still works.

            `beyla capability test` reports the same for this host and a given configuration. `--probe` asks the kernel itself, and `--file` tells what a file
            gives to an ordinary user. `beyla capability set` replaces the capabilities of the agent's file. `set --add` keeps them, so that one file serves
            tracing and flows; the remedies that are printed keep them too. [security.md](security.md) says how capabilities are held and how to deploy.

            ## Which process holds them

            The agent is two processes ([security.md](security.md#two-processes)). The **keeper**, which is what was started, holds all that this page names,
            as far as the configuration needs it, and makes the calls of its tables. The **worker** makes none of them: it holds no capability, and gets from
            the keeper what they opened. `beyla capability test` and the check at start are about the keeper.

            Three more are used at the start if they are there, and then given up. None is listed or needed, and nothing is said where it is missing:

            | Capability | For | Without it |
            |---|---|---|
            | `CAP_SETUID`, `CAP_SETGID` | the worker of an agent that root has started becomes user and group 65534 (`nobody`) and leaves its groups | it keeps them; Landlock, and in a container the read-only root file system, keep root's files from it |
            | `CAP_SETPCAP` | both processes empty their bounding sets | these stay as they are, and grant nothing: neither process executes a program |

            ## By scenario

            **needed**: listed and needed. *listed*: listed, but this agent works the same without it. (optional): not listed, but adds something.


            """);
        Matrix(text);
        foreach (var scenario in Scenario.All)
        {
            Section(text, scenario);
        }

        text.Append("""

            ## By tracer

            Every use of a capability, by the tracers of the documentation's internal reference.

            | Tracer | Capability | For | Without it | Needed | Kernel |
            |---|---|---|---|---|---|

            """);
        foreach (var row in CapabilityTable.Rows)
        {
            Row(text, row.Tracer.Name(), row.Capability.Name(), row.Operation,
                row.Without + (row.Setting.Length > 0 ? $". {row.Setting}" : ""), Need(row), Kernel(row));
        }

        text.Append($"""

            ## CAP_SYS_ADMIN as a substitute

            `CAP_SYS_ADMIN` replaces {Names(CapabilityTable.SubstitutedBySysAdmin)} and nothing else. With `CAP_SYS_ADMIN`
            alone, the agent cannot use packet sockets, traffic control by netlink, or files of other users' processes. That is the kernel's own rule
            (`bpf_capable()`, `perfmon_capable()` and `checkpoint_restore_ns_capable()` in include/linux/capability.h). bpf(2) itself also accepts
            `CAP_SYS_ADMIN` if a program sees packets. So tcx attaches without `CAP_NET_ADMIN`, while clsact fails with EPERM; the check does not rely on
            this.

            ## Settings of the host

            - `kernel.perf_event_paranoid` above 2: some distributions (Debian, Ubuntu) then refuse `perf_event_open()` without `CAP_SYS_ADMIN`, and the
              documentation asks for `CAP_SYS_ADMIN` instead of `CAP_PERFMON`. This agent opens no perf event, so `CAP_PERFMON` suffices at every
              value and `CAP_SYS_ADMIN` is never listed for it. To lower it for other tools:

            """);
        foreach (var fix in HostSettings.ParanoidFixes)
        {
            text.Append("  - ").Append(Code(fix)).Append('\n');
        }

        text.Append("""
            - lockdown: `integrity` changes nothing for this agent. `confidentiality` refuses tracing programs that read kernel memory, whatever the
              capabilities: there are no spans, and flows have no processes.
            - A user namespace other than the initial one: the kernel requires `CAP_BPF`, `CAP_PERFMON` and `CAP_NET_ADMIN` in the initial user
              namespace, so having them in the inner one is not enough.
            - `no_new_privs`, and file systems mounted `nosuid`: file capabilities are ignored at exec. Ambient capabilities are not.
            - The bounding set: an exec gives no capability that is not in it. A file with the effective flag (`+ep`) then does not start and fails with
              EPERM. With `=p`, as `beyla capability set` writes it, the agent starts and says what is missing.

            """);
        return text.ToString();
    }

    private static void Matrix(StringBuilder text)
    {
        text.Append("| Capability |").AppendJoin(" |", Scenario.All.Select(scenario => " " + scenario.Title)).Append(" |\n");
        text.Append("|---|").Insert(text.Length, "---|", Scenario.All.Count).Append('\n');
        foreach (var capability in CapabilityTable.All)
        {
            text.Append("| `").Append(capability.Name()).Append("` |");
            foreach (var scenario in Scenario.All)
            {
                text.Append(' ').Append(Mark(scenario, capability)).Append(" |");
            }

            text.Append('\n');
        }
    }

    private static string Mark(Scenario scenario, Capability capability)
    {
        var request = new CapabilityRequest(scenario.Features);
        return CapabilityCheck.Needed(request, Current).Contains(capability) ? "**needed**"
            : CapabilityCheck.Documented(request, Current).Contains(capability) ? "*listed*"
            : CapabilityTable.Rows.Any(row => row.Capability == capability && (row.OptionalFor & scenario.Features) != 0) ? "(optional)"
            : "";
    }

    private static void Section(StringBuilder text, Scenario scenario)
    {
        var request = new CapabilityRequest(scenario.Features);
        var needed = CapabilityCheck.Needed(request, Current);
        var documented = CapabilityCheck.Documented(request, Current);
        text.Append($"""

            ### {scenario.Title}

            ```sh
            {scenario.Settings} beyla capability set --minimal  # sudo setcap {needed.ToSetcapText()}=p beyla
            {scenario.Settings} beyla capability set            # sudo setcap {documented.ToSetcapText()}=p beyla
            {scenario.Settings} beyla
            ```

            | Without | Listed | Needed | Fails | Consequence |
            |---|---|---|---|---|

            """);
        var rows = CapabilityTable.Rows.Where(row => (row.Features & scenario.Features) != 0 && row.AppliesTo(Current))
            .GroupBy(row => row.Capability).OrderBy(group => group.Key);
        foreach (var group in rows)
        {
            var strongest = group.Where(row => (row.NeededFor & scenario.Features) != 0).ToList();
            if (strongest.Count == 0)
            {
                strongest = group.Any(row => (row.OptionalFor & scenario.Features) != 0)
                    ? [.. group.Where(row => (row.OptionalFor & scenario.Features) != 0)] : [.. group];
            }

            Row(text,
                group.Key.Name(), group.Any(row => (row.DocumentedFor & scenario.Features) != 0) ? "yes" : "no", NeedIn(group, scenario),
                string.Join("<br>", strongest.Select(row => row.Failure).Where(failure => failure.Length > 0).Distinct()),
                string.Join("<br>", strongest.Select(row => row.Without).Distinct()));
        }
    }

    private static string NeedIn(IEnumerable<CapabilityRow> rows, Scenario scenario) =>
        rows.Any(row => (row.NeededFor & scenario.Features) != 0) ? "yes"
            : rows.Any(row => (row.OptionalFor & scenario.Features) != 0) ? "optional" : "no";

    private static string Need(CapabilityRow row) =>
        row.OptionalFor != Feature.None ? "optional" : row.NeededFor != Feature.None ? "yes" : row.Built ? "no" : "no, not built";

    private static string Kernel(CapabilityRow row) =>
        row.Below is { } below ? $"below {below}" : row.From > new Version(0, 0) ? $"{row.From} and later" : "all";

    private static string Names(CapabilitySet set) => string.Join(", ", set.Members().Select(capability => $"`{capability.Name()}`"));

    private static void Row(StringBuilder text, params ReadOnlySpan<string> cells)
    {
        foreach (var cell in cells)
        {
            text.Append("| ").Append(cell.Replace("|", "\\|", StringComparison.Ordinal)).Append(' ');
        }

        text.Append("|\n");
    }

    // "PLATFORM: what to write" or a plain command.
    private static string Code(string fix)
    {
        var colon = fix.IndexOf(": ", StringComparison.Ordinal);
        return colon > 0 && !fix.StartsWith("sudo", StringComparison.Ordinal) ? $"{fix[..colon]}: `{fix[(colon + 2)..]}`" : $"`{fix}`";
    }
}
