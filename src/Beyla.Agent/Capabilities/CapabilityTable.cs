using Beyla.Agent.Linux;
using static Beyla.Agent.Capabilities.Feature;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// The one table of what needs which capability. The check at start, <c>beyla capability</c>, docs/capabilities.md and the tests are made
/// from it. Its documented side is the published documentation; its needed side is executed row by row by the live suite.
/// </summary>
internal static class CapabilityTable
{
    private const string LoadProgram = "bpf(BPF_PROG_LOAD)",
        NothingPassed = "trace context is not passed on to the next hop",
        WithoutStatistics = "no TCP statistics",
        NoDisks = "; application_process has no bytes of disks of such processes (/proc/PID/io)",
        WithoutGoroutines = "which request of a Go program led to its calls is not known";

    private static readonly Feature Network = NetworkSocketFilter | NetworkTrafficControl;
    private static readonly Feature Applications = Application | Feature.ContextPropagation;
    private static readonly Version Kernel58 = new(5, 8), Kernel59 = new(5, 9), Kernel511 = new(5, 11);

    /// <summary>The capabilities that a documented list can name, in ascending order.</summary>
    internal static CapabilitySet All { get; } = CapabilitySet.Of(
        Capability.DacReadSearch, Capability.NetAdmin, Capability.NetRaw, Capability.SysPtrace, Capability.SysAdmin,
        Capability.SysResource, Capability.Perfmon, Capability.Bpf, Capability.CheckpointRestore);

    /// <summary>
    /// What CAP_SYS_ADMIN stands in for, and nothing else: bpf_capable(), perfmon_capable(), checkpoint_restore_ns_capable()
    /// (include/linux/capability.h).
    /// </summary>
    internal static CapabilitySet SubstitutedBySysAdmin { get; } =
        CapabilitySet.Of(Capability.Bpf, Capability.Perfmon, Capability.CheckpointRestore);

    /// <summary>Every row, by tracer.</summary>
    internal static IReadOnlyList<CapabilityRow> Rows { get; } =
    [
        .. Shared(), .. SocketFlows(), .. TrafficControlFlows(), .. Watcher(), .. Languages(), .. Propagation(), .. Go(), .. BpfMetrics(),
        .. Statistics(),
    ];

    private static IEnumerable<CapabilityRow> Shared() =>
    [
        new(DocumentedTracer.Every, Capability.SysResource)
        {
            Operation = "setrlimit(RLIMIT_MEMLOCK): eBPF maps counted as locked memory before kernel 5.11",
            Without = "no eBPF map can be created beyond the limit of locked memory, 64 KiB by default",
            InReference = false,
            DocumentedFor = Network | Applications,
            NeededFor = Network | Application | Feature.TcpStatistics,
            Below = Kernel511,
            FailingCall = "bpf(BPF_MAP_CREATE)",
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Every, Capability.SysAdmin)
        {
            Operation = "every eBPF call: CAP_BPF and CAP_PERFMON do not exist before kernel 5.8",
            Without = "no eBPF program can be loaded",
            InReference = false,
            DocumentedFor = Network | Applications,
            NeededFor = Network | Application | Feature.TcpStatistics,
            Below = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
    ];

    private static IEnumerable<CapabilityRow> SocketFlows() =>
    [
        new(DocumentedTracer.SocketFlows, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_SOCKET_FILTER and create its maps",
            Without = "no network flows",
            DocumentedFor = NetworkSocketFilter,
            NeededFor = NetworkSocketFilter,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.SocketFlows, Capability.NetRaw)
        {
            Operation = "socket(AF_PACKET), to which the filter is attached",
            Without = "no network flows",
            DocumentedFor = NetworkSocketFilter,
            NeededFor = NetworkSocketFilter,
            FailingCall = "socket(AF_PACKET)",
            FailingErrno = Errno.EPERM,
        },
        .. FlowProcesses(DocumentedTracer.SocketFlows, NetworkSocketFilter),
    ];

    private static IEnumerable<CapabilityRow> TrafficControlFlows() =>
    [
        new(DocumentedTracer.TrafficControlFlows, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_SCHED_CLS and create its maps",
            Without = "no network flows",
            DocumentedFor = NetworkTrafficControl,
            NeededFor = NetworkTrafficControl,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.TrafficControlFlows, Capability.NetAdmin)
        {
            Operation = "load BPF_PROG_TYPE_SCHED_CLS and attach it to interfaces (tcx or clsact)",
            Without = "no network flows",
            DocumentedFor = NetworkTrafficControl,
            NeededFor = NetworkTrafficControl,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.TrafficControlFlows, Capability.Perfmon)
        {
            Operation = "direct access to packet memory through __sk_buff::data and pointer arithmetic",
            Without = "nothing is lost: the program copies packet headers with bpf_skb_load_bytes",
            DocumentedFor = NetworkTrafficControl,
            From = Kernel58,
        },
        .. FlowProcesses(DocumentedTracer.TrafficControlFlows, NetworkTrafficControl),
    ];

    private static IEnumerable<CapabilityRow> FlowProcesses(DocumentedTracer tracer, Feature feature) =>
    [
        new(tracer, Capability.Perfmon)
        {
            Operation = "load the tracing program that tells which process a flow belongs to",
            Without = "flows have no process id and name",
            InReference = false,
            NeededFor = Feature.FlowProcesses,
            OptionalFor = feature,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        ExecutablesOfOthers(
            tracer, ", for the service of a flow",
            "flows of other users' processes show the first argument or the name of the process as their service")
            with { InReference = false, OptionalFor = feature },
        EnvironmentsOfOthers(
            tracer, ", for the service of a flow", "OTEL_SERVICE_NAME of other users' processes is not seen in flows")
            with { InReference = false, OptionalFor = feature },
    ];

    private static IEnumerable<CapabilityRow> Watcher() =>
    [
        new(DocumentedTracer.Watcher, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_TRACING (tp_btf, iter) and create its maps",
            Without = "processes are not found, so nothing is traced",
            DocumentedFor = Applications,
            NeededFor = Application,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Watcher, Capability.Perfmon)
        {
            Operation = "load BPF_PROG_TYPE_TRACING, which reads kernel memory (documented: BPF_PROG_TYPE_KPROBE with pointer arithmetic)",
            Without = "processes are not found, so nothing is traced",
            DocumentedFor = Applications,
            NeededFor = Application,
            From = Kernel58,
            Setting = "lockdown=confidentiality refuses programs that read kernel memory, whatever the capabilities",
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Watcher, Capability.DacReadSearch)
        {
            Operation = "documented: /proc/self/mem, to determine the kernel version",
            Without = "nothing is lost: the version comes from uname, and features are probed",
            DocumentedFor = Applications,
        },
        new(DocumentedTracer.Watcher, Capability.CheckpointRestore)
        {
            Operation = "documented: symbolic links in /proc",
            Without = "nothing is lost: the watcher follows no symbolic link",
            DocumentedFor = Applications,
            From = Kernel59,
        },
    ];

    private static IEnumerable<CapabilityRow> Languages() =>
    [
        new(DocumentedTracer.Languages, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_TRACING (tp_btf, fentry) on the TCP functions and create its maps",
            Without = "no spans",
            DocumentedFor = Applications,
            NeededFor = Application,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Languages, Capability.Perfmon)
        {
            Operation = "load BPF_PROG_TYPE_TRACING, which reads what sockets send and receive",
            Without = "no spans",
            DocumentedFor = Applications,
            NeededFor = Application,
            From = Kernel58,
            Setting = "kernel.perf_event_paranoid above 2 does not matter: no perf event is opened",
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        ExecutablesOfOthers(
            DocumentedTracer.Languages, "",
            "executables of other users' processes cannot be opened: go, rust and native images show as generic, "
                + "paths are taken from maps or execve; "
                + "before Linux 6.15 OTEL_SERVICE_NAME of processes that began before the agent is not seen either" + NoDisks)
            with { DocumentedFor = Applications, NeededFor = Application },
        EnvironmentsOfOthers(
            DocumentedTracer.Languages, ", together with CAP_SYS_PTRACE or, from Linux 6.15 on, CAP_PERFMON",
            "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES of other users' processes that began before the agent are not seen; "
                + "the service is named after the executable" + NoDisks)
            with { DocumentedFor = Applications, NeededFor = Application },
        new(DocumentedTracer.Languages, Capability.CheckpointRestore)
        {
            Operation = "documented: /proc/PID/map_files, for libraries that were deleted while in use",
            Without = "nothing is lost: no library is opened that way",
            DocumentedFor = Applications,
            From = Kernel59,
        },
        new(DocumentedTracer.Languages, Capability.NetRaw)
        {
            Operation = "documented: socket(AF_PACKET), to attach an HTTP filter to interfaces",
            Without = "nothing is lost: requests are read from the traced process's sockets",
            DocumentedFor = Applications,
        },
    ];

    private static IEnumerable<CapabilityRow> Propagation() =>
    [
        new(DocumentedTracer.Propagation, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_SOCK_OPS and BPF_PROG_TYPE_SK_MSG and create their maps",
            Without = NothingPassed,
            DocumentedFor = Feature.ContextPropagation,
            NeededFor = Feature.ContextPropagation,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Propagation, Capability.NetAdmin)
        {
            Operation = "load BPF_PROG_TYPE_SOCK_OPS and BPF_PROG_TYPE_SK_MSG, and attach them to control groups",
            Without = NothingPassed,
            DocumentedFor = Feature.ContextPropagation,
            NeededFor = Feature.ContextPropagation,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Propagation, Capability.Perfmon)
        {
            Operation = "direct access to packet memory, and to sockets by their address",
            Without = NothingPassed,
            DocumentedFor = Feature.ContextPropagation,
            NeededFor = Feature.ContextPropagation,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EACCES,
        },
        new(DocumentedTracer.Propagation, Capability.DacReadSearch)
        {
            Operation = "documented without a reason",
            Without = "nothing is lost: /proc/PID/cgroup is readable for all",
            DocumentedFor = Feature.ContextPropagation,
        },
    ];

    private static IEnumerable<CapabilityRow> Go() =>
    [
        new(DocumentedTracer.Go, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_KPROBE and set it on net/http of Go programs (uprobe_multi, Linux 6.6); "
                + "tell the socket programs where a Go program keeps its goroutines",
            Without = WithoutGoroutines,
            OptionalFor = Application,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Go, Capability.Perfmon)
        {
            Operation = "load BPF_PROG_TYPE_KPROBE, which reads the memory of Go programs",
            Without = WithoutGoroutines,
            OptionalFor = Application,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.Go, Capability.SysPtrace)
        {
            Operation = "/proc/PID/exe of Go programs of other users: their version, their functions, and where the probe is set",
            Without = WithoutGoroutines + ", for programs of other users",
            OptionalFor = Application,
            FailingCall = "readlink(/proc/PID/exe)",
            FailingErrno = Errno.EACCES,
        },
        new(DocumentedTracer.Go, Capability.DacReadSearch)
        {
            Operation = "executables of Go programs that only their owner may read (documented: symbols of executables)",
            Without = WithoutGoroutines + ", for such executables",
            OptionalFor = Application,
            FailingCall = "open(/proc/PID/exe)",
            FailingErrno = Errno.EACCES,
        },
        new(DocumentedTracer.Go, Capability.CheckpointRestore)
        {
            Operation = "documented: symbolic links in /proc",
            Without = "nothing is lost: /proc/PID/exe asks for CAP_SYS_PTRACE",
            From = Kernel59,
        },
        new(DocumentedTracer.Go, Capability.NetRaw)
        {
            Operation = "documented: socket(AF_PACKET), to attach an HTTP filter to interfaces",
            Without = "nothing is lost: requests are read from the traced process's sockets",
        },
        new(DocumentedTracer.Go, Capability.SysAdmin)
        {
            Operation = "bpf_probe_write_user(), for library-level context propagation: writes the header into requests of Go programs "
                + "that get none from a program of their control group",
            Without = "requests of Go programs carry no header where control groups cannot put it in, nor after the first of a connection",
            DocumentedFor = GoPropagation,
            OptionalFor = GoPropagation,
            Setting = "lockdown other than none refuses bpf_probe_write_user, whatever the capabilities",
            FailingCall = LoadProgram,
            FailingErrno = Errno.EINVAL,
        },
    ];

    private static IEnumerable<CapabilityRow> BpfMetrics() =>
    [
        Unbuilt(DocumentedTracer.BpfMetrics, Capability.SysAdmin, Feature.BpfMetrics,
            "BTF data of every loaded program (BPF_BTF_GET_FD_BY_ID)") with { InReference = false },
    ];

    /// <summary>The documentation knows the metrics and says nothing of what they need.</summary>
    private static IEnumerable<CapabilityRow> Statistics() =>
    [
        new(DocumentedTracer.TcpStatistics, Capability.Bpf)
        {
            Operation = "load BPF_PROG_TYPE_TRACING (tp_btf, iter) and create its maps",
            Without = WithoutStatistics,
            InReference = false,
            NeededFor = Feature.TcpStatistics,
            From = Kernel58,
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
        new(DocumentedTracer.TcpStatistics, Capability.Perfmon)
        {
            Operation = "load BPF_PROG_TYPE_TRACING, which reads what the kernel counts for each connection",
            Without = WithoutStatistics,
            InReference = false,
            NeededFor = Feature.TcpStatistics,
            From = Kernel58,
            Setting = "lockdown=confidentiality refuses programs that read kernel memory, whatever the capabilities",
            FailingCall = LoadProgram,
            FailingErrno = Errno.EPERM,
        },
    ];

    /// <summary>Flows and languages read the same files by the same calls; what they lose without them differs.</summary>
    private static CapabilityRow ExecutablesOfOthers(DocumentedTracer tracer, string qualification, string without) =>
        new(tracer, Capability.SysPtrace)
        {
            Operation = "/proc/PID/exe of processes of other users, and before Linux 6.15 their /proc/PID/environ" + qualification,
            Without = without,
            FailingCall = "readlink(/proc/PID/exe)",
            FailingErrno = Errno.EACCES,
        };

    private static CapabilityRow EnvironmentsOfOthers(DocumentedTracer tracer, string qualification, string without) =>
        new(tracer, Capability.DacReadSearch)
        {
            Operation = "/proc/PID/environ of processes of other users" + qualification,
            Without = without,
            FailingCall = "open(/proc/PID/environ)",
            FailingErrno = Errno.EACCES,
        };

    private static CapabilityRow Unbuilt(
        DocumentedTracer tracer, Capability capability, Feature documentedFor, string operation, Version? from = null) =>
        new(tracer, capability)
        {
            Operation = "documented: " + operation.Replace("documented ", "", StringComparison.Ordinal),
            Without = "nothing is lost: this agent does not have this tracer",
            DocumentedFor = documentedFor,
            Built = false,
            From = from ?? new Version(0, 0),
        };
}
