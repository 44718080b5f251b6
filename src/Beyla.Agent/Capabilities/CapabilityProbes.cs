using System.Globalization;
using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// Asks the kernel instead of inferring: loads each program that the configuration can use and opens each kind of file. Attaches
/// nothing.
/// </summary>
internal static class CapabilityProbes
{
    private const int AF_PACKET = 17, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000;

    /// <summary>Tries everything that the request can use; one result for each program and each kind of file.</summary>
    internal static IReadOnlyList<CapabilityProbe> Run(CapabilityRequest request, HostFacts facts)
    {
        // The same capabilities as a run would raise, so that the answers are those of a run.
        var usable = CapabilityCheck.Usable(request, facts);
        using var raised = Privilege.Raise(usable);
        var probes = new List<CapabilityProbe>();
        if ((request.Features & (Feature.Application | Feature.ContextPropagation)) != 0)
        {
            Load("watcher", _ => true, probes);
            // The same programs for kernels that lack a function which the first ones call (bpf/sockets_old.bpf.c).
            if (!Load("sockets", _ => true, probes))
            {
                Load("sockets_old", _ => true, probes);
            }

            // What is set on Go programs.
            Load("go", _ => true, probes);
            Files(FileCalls.geteuid(), probes);
        }

        if ((request.Features & Feature.ContextPropagation) != 0)
        {
            Load("propagation", _ => true, probes);
        }

        if ((request.Features & Feature.GoPropagation) != 0)
        {
            // What writes into requests of Go programs. The kernel's log names the agent for it.
            Load("go_write", _ => true, probes);
        }

        if ((request.Features & Feature.NetworkSocketFilter) != 0)
        {
            probes.Add(PacketSocket());
            Load("flows", section => section.StartsWith("socket", StringComparison.Ordinal), probes);
        }

        if ((request.Features & Feature.NetworkTrafficControl) != 0)
        {
            Load("flows", section => section.StartsWith("tc", StringComparison.Ordinal), probes);
        }

        if ((request.Features & (Feature.NetworkSocketFilter | Feature.NetworkTrafficControl)) != 0)
        {
            // What tells which process a flow belongs to.
            Load("owners", _ => true, probes);
        }

        return probes;
    }

    /// <returns>Whether the kernel took any of them.</returns>
    private static bool Load(string name, Func<string, bool> wanted, List<CapabilityProbe> probes)
    {
        IReadOnlyList<(string Function, string Section)> programs;
        try
        {
            using var unopened = BpfObject.Open(name);
            programs = unopened.Programs();
        }
        catch (KernelException exception)
        {
            probes.Add(Refused($"open {name}", exception.Errno, exception.Evidence));
            return false;
        }

        var any = false;

        foreach (var (function, section) in programs.Where(program => wanted(program.Section)))
        {
            var operation = $"load {name}/{function} ({section})";
            try
            {
                using var one = BpfObject.Open(name);
                one.Select(function).Load();
                probes.Add(new CapabilityProbe { Operation = operation, Answer = ProbeAnswer.Yes });
                any = true;
            }
            catch (KernelException exception)
            {
                probes.Add(Refused(operation, exception.Errno, exception.Evidence));
            }
        }

        return any;
    }

    private static CapabilityProbe PacketSocket()
    {
        // Protocol 0: the socket receives nothing.
        var socket = FileCalls.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (socket < 0)
        {
            return Refused("socket(AF_PACKET)", Marshal.GetLastPInvokeError(), "");
        }

        _ = Descriptor.Close(socket);
        return new CapabilityProbe { Operation = "socket(AF_PACKET)", Answer = ProbeAnswer.Yes };
    }

    private static void Files(uint user, List<CapabilityProbe> probes)
    {
        if (FindOther(user) is not { } pid)
        {
            probes.Add(new CapabilityProbe
            {
                Operation = "open /proc/PID/exe and environ of another user",
                Answer = ProbeAnswer.Unknown,
                Evidence = "no process of another user runs here",
            });
            return;
        }

        foreach (var file in (ReadOnlySpan<string>)["exe", "environ"])
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}");
            var opened = FileCalls.open(path, FileCalls.O_RDONLY | FileCalls.O_CLOEXEC, 0);
            var errno = opened < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (opened >= 0)
            {
                _ = Descriptor.Close(opened);
            }

            probes.Add(errno switch
            {
                0 => new CapabilityProbe { Operation = $"open {path}", Answer = ProbeAnswer.Yes },
                Errno.EACCES or Errno.EPERM => Refused($"open {path}", errno, ""),
                _ => new CapabilityProbe
                {
                    Operation = $"open {path}", Answer = ProbeAnswer.Unknown, Error = Errno.Name(errno), Evidence = "the process is gone",
                },
            });
        }
    }

    // The first process of another user that runs a program. PID 1 is left out: in containers it may refuse whatever the capabilities.
    private static int? FindOther(uint user)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                || pid == 1)
            {
                continue;
            }

            try
            {
                var status = File.ReadAllText(Path.Combine(directory, "status"));
                // A kernel thread has no memory, so no VmSize.
                if (status.Contains("\nVmSize:", StringComparison.Ordinal) && UserOf(status) is { } owner && owner != user)
                {
                    return pid;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Gone, or hidden by hidepid.
            }
        }

        return null;
    }

    private static uint? UserOf(string status)
    {
        var start = status.IndexOf("\nUid:\t", StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }

        var text = status.AsSpan(start + "\nUid:\t".Length);
        var end = text.IndexOf('\t');
        return end > 0 && uint.TryParse(text[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var owner) ? owner : null;
    }

    private static CapabilityProbe Refused(string operation, int errno, string evidence) =>
        new() { Operation = operation, Answer = ProbeAnswer.No, Error = Errno.Name(errno), Evidence = evidence };
}
