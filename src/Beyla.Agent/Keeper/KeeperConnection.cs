using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Keeper;

/// <summary>
/// The worker's end of a desk of the keeper: asks one question at a time, any thread, and waits for the answer. When the keeper is gone
/// every question is answered by EPIPE.
/// </summary>
public sealed partial class KeeperConnection : IProcDesk
{
    /// <summary>A longer silence is told, in ticks of Stopwatch.</summary>
    private static readonly long SilenceTold = Stopwatch.Frequency;

    private readonly Lock gate = new();
    private readonly MessageSocket? socket;
    private readonly byte[] answer = new byte[Marshal.SizeOf<KeeperReply>() + KeeperReply.MaximumText];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];
    private readonly int refusal;

    /// <param name="socket">Connected to a desk; disposed with this.</param>
    /// <param name="held">Which capabilities for files of processes the keeper has.</param>
    public KeeperConnection(MessageSocket socket, ProcPrivileges held = 0) => (this.socket, Held) = (socket, held);

    /// <summary>One that has nobody behind it, as the keeper or the kernel gave no further desk.</summary>
    private KeeperConnection(int refusal) => this.refusal = refusal;

    /// <inheritdoc/>
    public ProcPrivileges Held { get; set; }

    /// <summary>As <see cref="KeeperOperation.Configuration"/>.</summary>
    /// <param name="control">Tells when to stop; the caller closes it.</param>
    /// <param name="file">The configuration file, to be read from its beginning; -1 when there is none. The caller closes it.</param>
    /// <returns>False when the keeper has ended before it could say; it has told why.</returns>
    /// <exception cref="KernelException">The answer did not arrive: EMFILE where there is no room for descriptors.</exception>
    public bool TryConfigure(out int control, out int file)
    {
        lock (gate)
        {
            (control, file) = (-1, -1);
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.Configuration });
            if (reply.Result < 0)
            {
                return reply.Result is -Errno.EPIPE or -Errno.ECONNRESET
                    ? false : throw new KernelException("receive the configuration from the keeper", -reply.Result);
            }

            Held = (ProcPrivileges)reply.Value;
            control = descriptors[0];
            file = reply.Descriptors > 1 ? descriptors[1] : -1;
            return true;
        }
    }

    /// <summary>The content of a file that the configuration names; see <see cref="KeeperOperation.NamedFile"/>.</summary>
    /// <param name="number">Its number in <see cref="Configuration.AgentConfiguration.NamedFiles"/>.</param>
    /// <exception cref="KernelException">There is no such file, or the keeper is gone.</exception>
    public string NamedFile(int number)
    {
        var file = File(new KeeperRequest { Operation = KeeperOperation.NamedFile, Number = number });
        return file >= 0 ? MemoryFile.Take(file) : throw new KernelException("receive a named file from the keeper", -file);
    }

    /// <summary>As <see cref="KeeperOperation.Application"/>; null where it did not start, which the keeper has said.</summary>
    /// <param name="maps">Takes the 6 descriptors, which are the caller's then.</param>
    public ApplicationFacts? Application(Span<int> maps)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.Application });
            if (reply.Result < 0)
            {
                return null;
            }

            descriptors.AsSpan(0, reply.Descriptors).CopyTo(maps);
            return MemoryMarshal.Read<ApplicationFacts>(Text(reply));
        }
    }

    /// <summary>As <see cref="KeeperOperation.OpenFlows"/>; null where it did not start, which the keeper has said.</summary>
    /// <param name="given">Takes the 3 descriptors, which are the caller's then.</param>
    public FlowFacts? OpenFlows(Span<int> given)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.OpenFlows });
            if (reply.Result < 0)
            {
                return null;
            }

            descriptors.AsSpan(0, reply.Descriptors).CopyTo(given);
            return MemoryMarshal.Read<FlowFacts>(Text(reply));
        }
    }

    /// <summary>As <see cref="KeeperOperation.OpenStatistics"/>.</summary>
    /// <param name="size">Bytes of the ring.</param>
    /// <returns>The ring, which the caller closes; negative where they did not start, which the keeper has said.</returns>
    public int OpenStatistics(out uint size)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.OpenStatistics });
            size = (uint)reply.Value;
            return reply.Result < 0 ? reply.Result : descriptors[0];
        }
    }

    /// <summary>Asks for something that needs no more than its name.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal void Do(KeeperOperation operation) => _ = Checked(new KeeperRequest { Operation = operation });

    /// <summary>Asks for something with a number.</summary>
    /// <returns>The result; not negative.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal int Do(KeeperOperation operation, int number, out long value)
    {
        var reply = Checked(new KeeperRequest { Operation = operation, Number = number });
        value = reply.Value;
        return reply.Result;
    }

    /// <summary>As <see cref="KeeperOperation.FlowCount"/>.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal FlowCounters FlowCount()
    {
        lock (gate)
        {
            return MemoryMarshal.Read<FlowCounters>(Text(Checked(new KeeperRequest { Operation = KeeperOperation.FlowCount })));
        }
    }

    /// <summary>As <see cref="KeeperOperation.FlowState"/>.</summary>
    /// <exception cref="KernelException">The keeper is gone.</exception>
    internal (string Source, int Interfaces) FlowState()
    {
        lock (gate)
        {
            var reply = Checked(new KeeperRequest { Operation = KeeperOperation.FlowState });
            return (Encoding.UTF8.GetString(Text(reply)), (int)reply.Value);
        }
    }

    /// <summary>Takes the programs off; see <see cref="KeeperOperation.Detach"/>.</summary>
    public void Detach() => _ = Call(new KeeperRequest { Operation = KeeperOperation.Detach });

    /// <summary>What a group of places has counted; nothing when the keeper is gone.</summary>
    public IReadOnlyList<PlaceCounters> Count(CounterGroup group)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.Counters, Number = (int)group });
            List<PlaceCounters> places = [];
            foreach (var row in MemoryMarshal.Cast<byte, CounterRow>(reply.Result < 0 ? default : Text(reply)))
            {
                places.Add(CounterNames.Counters(in row));
            }

            return places;
        }
    }

    /// <summary>The capabilities of the keeper, in one line.</summary>
    public string Describe()
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.Describe });
            return reply.Result < 0 ? $"not known: {Errno.Describe(-reply.Result)}" : Encoding.UTF8.GetString(Text(reply));
        }
    }

    /// <summary>What the kernel side kept of the environment of a process; null where it kept nothing.</summary>
    public byte[]? StartedWith(int pid)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.StartedWith, Pid = pid });
            return reply.Result < 0 ? null : Text(reply).ToArray();
        }
    }

    /// <summary>An iterator for <see cref="ListenerScan.Read"/>, which the caller closes; -ESRCH when the process is gone.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public int ScanListeners(int pid) =>
        File(new KeeperRequest { Operation = KeeperOperation.ScanListeners, Pid = pid }) is var file && file is >= 0 or -Errno.ESRCH
            ? file : throw new KernelException("scan for listening sockets", -file);

    /// <summary>As <see cref="KeeperOperation.BeginGo"/>.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void BeginGo(int pid, in GoOffsets offsets) => _ = Checked(
        new KeeperRequest { Operation = KeeperOperation.BeginGo, Pid = pid },
        MemoryMarshal.AsBytes(new ReadOnlySpan<GoOffsets>(in offsets)));

    /// <summary>
    /// As <see cref="KeeperOperation.AttachGo"/>, in the executable of this process, which has to be the one that was named last.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public long AttachGo(int pid, long roundTrip, long writeBody) => Checked(
        new KeeperRequest { Operation = KeeperOperation.AttachGo, Pid = pid, First = roundTrip, Second = writeBody }).Value;

    /// <summary>As <see cref="KeeperOperation.DetachGo"/>.</summary>
    public void DetachGo(long number) => _ = Call(new KeeperRequest { Operation = KeeperOperation.DetachGo, First = number });

    /// <summary>As <see cref="KeeperOperation.IncludeGroup"/>. What the kernel refuses the keeper says.</summary>
    public void IncludeGroup(string path) =>
        _ = Call(new KeeperRequest { Operation = KeeperOperation.IncludeGroup }, Encoding.UTF8.GetBytes(path));

    /// <inheritdoc/>
    public long Waited { get; private set; }

    /// <inheritdoc/>
    public void Ask() => _ = Call(default);

    /// <inheritdoc/>
    public int ReadLink(int pid, ProcessLink link, Span<byte> target)
    {
        lock (gate)
        {
            return Copy(Ask(new KeeperRequest { Operation = KeeperOperation.ReadLink, Pid = pid, Number = (int)link }), target);
        }
    }

    /// <inheritdoc/>
    public int OpenMaps(int pid) => File(new KeeperRequest { Operation = KeeperOperation.OpenMaps, Pid = pid });

    /// <inheritdoc/>
    public int NameExecutable(int pid) => File(new KeeperRequest { Operation = KeeperOperation.NameExecutable, Pid = pid });

    /// <inheritdoc/>
    public int OpenExecutable(int pid) => File(new KeeperRequest { Operation = KeeperOperation.OpenExecutable, Pid = pid });

    /// <inheritdoc/>
    public bool LeadsTo(int pid, ReadOnlySpan<byte> name, ulong device, ulong inode) => Call(
        new KeeperRequest { Operation = KeeperOperation.LeadsTo, Pid = pid, First = (long)device, Second = (long)inode }, name).Result > 0;

    /// <inheritdoc/>
    public int Variables(int pid, Span<byte> target, out bool isEnvironment)
    {
        lock (gate)
        {
            var reply = Ask(new KeeperRequest { Operation = KeeperOperation.Variables, Pid = pid });
            isEnvironment = reply.Value != 0;
            return Copy(reply, target);
        }
    }

    /// <inheritdoc/>
    IProcDesk IProcDesk.Another() => Another();

    /// <inheritdoc cref="IProcDesk.Another"/>
    public KeeperConnection Another()
    {
        var file = File(new KeeperRequest { Operation = KeeperOperation.OpenDesk });
        return file < 0 ? new KeeperConnection(-file) : new KeeperConnection(new MessageSocket(file), Held);
    }

    /// <inheritdoc/>
    public void Dispose() => socket?.Dispose();

    private KeeperReply Checked(in KeeperRequest request, ReadOnlySpan<byte> text = default)
    {
        lock (gate)
        {
            var reply = Ask(request, text);
            if (reply.Result >= 0)
            {
                return reply;
            }

            var said = Encoding.UTF8.GetString(Text(reply)).Split('\n', 2);
            throw new KernelException(
                said[0].Length > 0 ? said[0] : $"ask the keeper ({request.Operation})", -reply.Result, said.Length > 1 ? said[1] : "");
        }
    }

    private KeeperReply Call(in KeeperRequest request, ReadOnlySpan<byte> text = default)
    {
        lock (gate)
        {
            return Ask(request, text);
        }
    }

    private int File(in KeeperRequest request)
    {
        lock (gate)
        {
            var reply = Ask(request);
            return reply.Result < 0 ? reply.Result : descriptors[0];
        }
    }

    private int Copy(in KeeperReply reply, Span<byte> target)
    {
        if (reply.Result < 0)
        {
            return reply.Result;
        }

        var text = Text(reply);
        text = text[..Math.Min(text.Length, target.Length)];
        text.CopyTo(target);
        return text.Length;
    }

    private ReadOnlySpan<byte> Text(in KeeperReply reply) => answer.AsSpan(Marshal.SizeOf<KeeperReply>(), (int)reply.Length);

    private KeeperReply Ask(KeeperRequest request, ReadOnlySpan<byte> text = default)
    {
        if (socket is null)
        {
            return new KeeperReply { Result = -refusal };
        }

        if (text.Length > KeeperRequest.MaximumText)
        {
            return new KeeperReply { Result = -Errno.E2BIG };
        }

        request.Length = (uint)text.Length;
        var begun = Stopwatch.GetTimestamp();
        var reply = Exchange(in request, text);
        var waited = Stopwatch.GetTimestamp() - begun;
        Waited += waited;
        // What the keeper does without a file of others takes no time: it stood still, or got no processor.
        if (waited > SilenceTold && request.Operation is KeeperOperation.None or KeeperOperation.ReadLink or KeeperOperation.StartedWith)
        {
            Log.WarnLimited(
                "keeper silent", "The keeper did not answer, processes are looked at late",
                ("seconds", (long)Math.Round(Stopwatch.GetElapsedTime(0, waited).TotalSeconds)));
        }

        return reply;
    }

    private KeeperReply Exchange(in KeeperRequest request, ReadOnlySpan<byte> text)
    {
        var sent = socket!.Send(MemoryMarshal.AsBytes(new ReadOnlySpan<KeeperRequest>(in request)), text, []);
        if (sent < 0)
        {
            return new KeeperReply { Result = sent };
        }

        var length = socket.Receive(answer, descriptors, out var count);
        if (length < Marshal.SizeOf<KeeperReply>())
        {
            return new KeeperReply { Result = length < 0 ? length : -Errno.EPIPE };
        }

        var reply = MemoryMarshal.Read<KeeperReply>(answer);
        // Those that came are closed already.
        return reply.Descriptors != count ? new KeeperReply { Result = -Errno.EMFILE } : reply;
    }
}
