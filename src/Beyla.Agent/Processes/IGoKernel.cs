using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes;

/// <summary>The kernel side's view of Go programs. Any thread.</summary>
public interface IGoKernel
{
    /// <summary>Whether trace context is written into requests.</summary>
    bool WritesHeaders { get; }

    /// <summary>Has the kernel side look at the goroutines of a process from now on.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    void Begin(int pid, in GoOffsets offsets);

    /// <summary>Ends that. Needs no capability: what stays in the map is not looked up.</summary>
    void Forget(int pid);

    /// <summary>Sets probes in an executable; disposing the result takes them off.</summary>
    /// <param name="desk">What named the executable, and nothing else since; null where this process did.</param>
    /// <param name="pid">A process that runs it.</param>
    /// <param name="file">A descriptor that names the executable.</param>
    /// <param name="roundTrip">Where in the file net/http hands a request to a connection; see <see cref="UprobeLink.Attach"/>.</param>
    /// <param name="writeBody">Where in the file net/http has collected the head of a request; 0 for no probe there.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    IDisposable Attach(IProcDesk? desk, int pid, int file, long roundTrip, long writeBody);
}
