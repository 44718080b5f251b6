using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Writes trace context into requests of Go programs (bpf/go_write.bpf.c). The kernel takes such a program only from who has CAP_SYS_ADMIN
/// and not under lockdown, and says in its own log that it was loaded.
/// </summary>
public sealed class GoWritePrograms : IDisposable
{
    private const string Program = "on_write_body";

    private readonly BpfObject programs;

    private GoWritePrograms(BpfObject programs) => this.programs = programs;

    /// <summary>Loads the program. The caller holds CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; to attach it, two are enough.</summary>
    /// <param name="source">The socket programs, loaded to settle contexts, whose maps are shared.</param>
    /// <param name="selection">Who is traced.</param>
    /// <exception cref="KernelException">The kernel refused; EINVAL says that it does not let this process write.</exception>
    public static GoWritePrograms Open(SocketSource source, SelectionMap selection)
    {
        var programs = BpfObject.Open("go_write");
        try
        {
            programs.Map(SelectionMap.Name).ShareFrom(selection.Map);
            source.ShareContexts(programs);
            programs.Program(Program).SetAttachType(UprobeLink.AttachType);
            return new GoWritePrograms(programs.Load());
        }
        catch
        {
            programs.Dispose();
            throw;
        }
    }

    /// <summary>Sets the probe on the place where net/http has collected the head of a request.</summary>
    /// <param name="path">The executable.</param>
    /// <param name="offset">Where in it; see <see cref="UprobeLink.Attach"/>.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public UprobeLink Attach(string path, long offset) => UprobeLink.Attach(programs.Program(Program), path, offset);

    /// <inheritdoc/>
    public void Dispose() => programs.Dispose();
}
