using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// The programs that pass trace context on to the next hop (bpf/propagation.bpf.c), attached to control groups of traced processes. All of
/// it goes with this process, however that ends: links, maps, and the sockets that are in one of them.
/// </summary>
public sealed class PropagationPrograms : IDisposable
{
    private const int SocketMessages = 7; // BPF_SK_MSG_VERDICT, enum bpf_attach_type, linux/bpf.h

    private readonly BpfObject programs;
    private readonly string mount;
    private readonly Dictionary<string, CgroupLink> links = [];

    private PropagationPrograms(BpfObject programs, string mount) => (this.programs, this.mount) = (programs, mount);

    /// <summary>Control groups in which contexts are passed on, relative to the mount.</summary>
    public IReadOnlyCollection<string> Groups => links.Keys;

    /// <summary>Loads the programs; they run in no group yet.</summary>
    /// <param name="ways">How contexts travel; not <see cref="ContextPropagation.Disabled"/>.</param>
    /// <param name="source">The socket programs, loaded to settle contexts.</param>
    /// <param name="selection">Who is traced.</param>
    /// <param name="mount">Where control groups of the second version are mounted.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static PropagationPrograms Open(ContextPropagation ways, SocketSource source, SelectionMap selection, string mount)
    {
        var programs = BpfObject.Open("propagation");
        try
        {
            programs.Map(SelectionMap.Name).ShareFrom(selection.Map);
            source.ShareContexts(programs);
            programs.SetConstants(".rodata.ways", (uint)ways);
            if ((ways & ContextPropagation.Headers) != 0)
            {
                programs.Select("on_socket", "on_message").Load();
                AttachToMap(programs);
            }
            else
            {
                programs.Map("joined").MaxEntries = 1;
                programs.Select("on_socket").Load();
            }

            return new PropagationPrograms(programs, mount);
        }
        catch
        {
            programs.Dispose();
            throw;
        }
    }

    /// <summary>Runs them for the sockets that are made in a control group and in those below it from now on.</summary>
    /// <param name="group">Relative to the mount, with a slash in front.</param>
    /// <returns>False when that is so already.</returns>
    /// <exception cref="KernelException">The kernel refused, as it does where another one's program allows no second one.</exception>
    public bool Attach(string group)
    {
        if (Covers(group))
        {
            return false;
        }

        // Two in one line of groups would both run.
        var inner = links.Keys.Where(known => ControlGroups.Holds(group, known)).ToList();
        links.Add(group, CgroupLink.Attach(programs.Program("on_socket"), mount.TrimEnd('/') + group));
        foreach (var known in inner)
        {
            links[known].Dispose();
            _ = links.Remove(known);
        }

        return true;
    }

    /// <summary>Whether they run in a control group already, be it by one above it. Takes no memory.</summary>
    public bool Covers(ReadOnlySpan<char> group)
    {
        foreach (var known in links.Keys)
        {
            if (ControlGroups.Holds(known, group))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes them off.</summary>
    public void Detach()
    {
        foreach (var link in links.Values)
        {
            link.Dispose();
        }

        links.Clear();
    }

    /// <summary>To a map of this process, so that it is no longer than that.</summary>
    private static void AttachToMap(BpfObject programs)
    {
        var program = programs.Program("on_message");
        var result = Libbpf.bpf_prog_attach(program.FileDescriptor, programs.Map("joined").FileDescriptor, SocketMessages, 0);
        if (result < 0)
        {
            throw new KernelException($"attach program {program.Name} to its sockets", -result);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach();
        programs.Dispose();
    }
}
