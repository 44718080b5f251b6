using System.Runtime.InteropServices;
using Beyla.Agent.Counting;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>
/// What processes call themselves in the environment that they were started with, kept by the kernel side since
/// execve (bpf/names.bpf.c). Only of those that ran a program, or were forked by one that did, since this is open.
/// </summary>
public sealed unsafe partial class StartedNames : IDisposable
{
    /// <summary>Bytes of both variables at most.</summary>
    public const int MaximumText = Variables.NameSize + Variables.AttributesSize;

    private static readonly string[] Attached = ["name_exec", "name_fork"];

    private readonly BpfObject programs;
    private readonly BpfMap kept;
    private readonly BpfProgram[] counted;
    private readonly List<BpfLink> links = [];

    private StartedNames(BpfObject programs)
    {
        this.programs = programs;
        kept = programs.Map("started_with");
        counted = [.. Attached.Select(programs.Program)];
    }

    /// <summary>Loads and attaches.</summary>
    /// <exception cref="KernelException">The kernel refused: before 5.17 it lacks what the programs use.</exception>
    public static StartedNames Open()
    {
        var programs = BpfObject.Open("names");
        StartedNames? names = null;
        try
        {
            programs.Select(Attached).Load();
            names = new StartedNames(programs);
            foreach (var name in Attached)
            {
                names.links.Add(programs.Program(name).Attach());
            }

            return names;
        }
        catch
        {
            if (names is null)
            {
                programs.Dispose();
            }
            else
            {
                names.Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// The variables that name a service, in the form of /proc/PID/environ: each as NAME=VALUE, zero terminated. Three system calls and no
    /// memory; any thread. Before 5.19 it needs CAP_BPF.
    /// </summary>
    /// <param name="pid">Thread group id in the initial pid namespace, which has to be that of the caller.</param>
    /// <param name="target">Takes them; room for <see cref="MaximumText"/> bytes.</param>
    /// <returns>
    /// The bytes; -ENODATA where none is kept, or one that is longer than the kernel side keeps, and where the process is gone.
    /// </returns>
    public int Read(int pid, Span<byte> target)
    {
        var descriptor = (int)syscall(PidFdOpen, pid, 0);
        if (descriptor < 0)
        {
            return -Errno.ENODATA;
        }

        // Refused where it is gone in between, or a thread that leads no process: /proc has to tell.
        var result = kept.Find(descriptor, out Variables variables);
        _ = Descriptor.Close(descriptor);
        return result < 0 ? -Errno.ENODATA : TextOf(in variables, target);
    }

    /// <summary>Calls of its programs that never were.</summary>
    /// <param name="places">Takes a row where there were such calls.</param>
    /// <returns>How many rows.</returns>
    public int Count(Span<PlaceCounters> places) => RingCounters.Missed("names", counted, places);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var link in links)
        {
            link.Dispose();
        }

        programs.Dispose();
    }

    /// <summary>Both variables in the form of /proc/PID/environ; -ENODATA where one is longer than the kernel side keeps.</summary>
    internal static int TextOf(in Variables variables, Span<byte> target)
    {
        if (variables.NameState == State.TooLong || variables.AttributesState == State.TooLong)
        {
            return -Errno.ENODATA;
        }

        fixed (byte* name = variables.Name, attributes = variables.Attributes)
        {
            var first = variables.NameState == State.Whole ? Whole(name, Variables.NameSize) : default;
            var second = variables.AttributesState == State.Whole ? Whole(attributes, Variables.AttributesSize) : default;
            first.CopyTo(target);
            second.CopyTo(target[first.Length..]);
            return first.Length + second.Length;
        }
    }

    /// <summary>The text with its zero; nothing where there is none.</summary>
    private static ReadOnlySpan<byte> Whole(byte* text, int size)
    {
        var bytes = new ReadOnlySpan<byte>(text, size);
        return bytes[..(bytes.IndexOf((byte)0) + 1)];
    }

    /// <summary>enum variable_state.</summary>
    internal enum State : uint
    {
        /// <summary>The environment had no such variable.</summary>
        Absent,

        /// <summary>It is kept in full.</summary>
        Whole,

        /// <summary>It is longer than what is kept, so none of it is.</summary>
        TooLong,
    }

    /// <summary>struct service_variables.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Variables
    {
        /// <summary>Bytes that the kernel side keeps of each variable, its terminating zero included.</summary>
        internal const int NameSize = 288, AttributesSize = 1056;

        /// <summary>What became of <see cref="Name"/>.</summary>
        public State NameState;

        /// <summary>What became of <see cref="Attributes"/>.</summary>
        public State AttributesState;

        /// <summary>OTEL_SERVICE_NAME as NAME=VALUE, zero terminated.</summary>
        public fixed byte Name[NameSize];

        /// <summary>OTEL_RESOURCE_ATTRIBUTES as NAME=VALUE, zero terminated.</summary>
        public fixed byte Attributes[AttributesSize];
    }

    private const nint PidFdOpen = 434; // asm-generic/unistd.h

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint pid, nint flags);
}
