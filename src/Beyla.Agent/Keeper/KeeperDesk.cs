using System.Runtime.InteropServices;
using System.Text.Unicode;
using Beyla.Agent.Counting;
using Beyla.Agent.Flows;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Keeper;

/// <summary>
/// Answers one socket of the worker. Whatever comes in, it is one of <see cref="KeeperOperation"/> with values in their bounds, or it is
/// refused; nothing that others wrote is decoded here. One thread.
/// </summary>
public sealed partial class KeeperDesk : IDisposable
{
    private readonly IKeeperHost host;
    private readonly ProcReader proc;
    private readonly IFlowKernel? flows;
    private readonly byte[] message = new byte[Marshal.SizeOf<KeeperRequest>() + KeeperRequest.MaximumText];
    private readonly byte[] text = new byte[KeeperReply.MaximumText];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];
    private readonly PlaceCounters[] places = new PlaceCounters[IKeeperHost.MaximumPlaces];
    private int named = -1;
    private bool givesAway;

    /// <param name="host">What stands behind it.</param>
    /// <param name="privilege">Raises capabilities around the opening of files of processes.</param>
    /// <param name="flows">Network observability, at the one desk for it; null at all others.</param>
    public KeeperDesk(IKeeperHost host, IProcPrivilege privilege, IFlowKernel? flows = null) =>
        (this.host, proc, this.flows) = (host, new ProcReader(privilege: privilege, refusals: ProcRefusals.NotCounted), flows);

    /// <summary>Answers until the other end is closed.</summary>
    public void Serve(MessageSocket socket)
    {
        while (AnswerOne(socket))
        {
        }
    }

    /// <summary>Waits for one question and answers it; false when the other end is closed.</summary>
    public bool AnswerOne(MessageSocket socket)
    {
        var length = socket.Receive(message, descriptors, out var count);
        // None of the questions comes with one.
        for (var i = 0; i < count; i++)
        {
            _ = Descriptor.Close(descriptors[i]);
        }

        if (length <= 0)
        {
            return false;
        }

        var reply = Answer(message.AsSpan(0, length));
        var sent = socket.Send(
            MemoryMarshal.AsBytes(new ReadOnlySpan<KeeperReply>(in reply)), text.AsSpan(0, (int)reply.Length),
            descriptors.AsSpan(0, reply.Descriptors));
        CloseGiven(reply.Descriptors);
        return sent >= 0;
    }

    /// <summary>Answers one question.</summary>
    /// <param name="question">A <see cref="KeeperRequest"/> and what follows it, or anything else.</param>
    internal KeeperReply Answer(ReadOnlySpan<byte> question)
    {
        givesAway = false;
        if (!MemoryMarshal.TryRead(question, out KeeperRequest request)
            || request.Length != question.Length - Marshal.SizeOf<KeeperRequest>())
        {
            return Refusal(Errno.EINVAL);
        }

        using var aside = AsideThread.Enter();
        try
        {
            return Answer(in request, question[Marshal.SizeOf<KeeperRequest>()..]);
        }
        catch (KernelException refusal)
        {
            return Failure(refusal);
        }
        catch (Exception failure)
        {
            // Such as what was disposed meanwhile, or called out of order: a question ends itself, and never the keeper.
            return Said($"answer the worker\n{failure.GetType().Name}: {failure.Message}") with { Result = -Errno.EIO };
        }
    }

    /// <summary>Closes the descriptors of an answer that were opened for it.</summary>
    internal void CloseGiven(int count)
    {
        for (var i = 0; givesAway && i < count; i++)
        {
            _ = Descriptor.Close(descriptors[i]);
        }

        givesAway = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Name(-1);
        proc.Dispose();
    }

    private KeeperReply Answer(in KeeperRequest request, ReadOnlySpan<byte> rest)
    {
        switch (request.Operation)
        {
            case KeeperOperation.Configuration:
                return new KeeperReply { Descriptors = host.Configuration(descriptors), Value = (long)proc.Held };
            case KeeperOperation.NamedFile:
                descriptors[0] = host.NamedFile(request.Number);
                return new KeeperReply { Descriptors = 1 };
            case KeeperOperation.Application:
                var facts = host.Application(descriptors);
                MemoryMarshal.Write(text, facts);
                return new KeeperReply { Descriptors = 6, Length = (uint)Marshal.SizeOf<ApplicationFacts>() };
            case KeeperOperation.OpenFlows:
                var loaded = host.OpenFlows(descriptors);
                MemoryMarshal.Write(text, loaded);
                return new KeeperReply { Descriptors = 3, Length = (uint)Marshal.SizeOf<FlowFacts>() };
            case KeeperOperation.OpenDesk:
                return OpenDesk();
            case KeeperOperation.Detach:
                host.Detach();
                return default;
            case KeeperOperation.OpenStatistics:
                descriptors[0] = host.OpenStatistics(out var size);
                return new KeeperReply { Descriptors = 1, Value = size };
            case KeeperOperation.WalkStatistics when request.Number is 0 or 1:
                return new KeeperReply { Value = host.WalkStatistics(isLast: request.Number == 1) };
            case KeeperOperation.DetachStatistics:
                host.DetachStatistics();
                return default;
            case KeeperOperation.Counters when (CounterGroup)request.Number is >= CounterGroup.Processes and <= CounterGroup.Statistics:
                return Count((CounterGroup)request.Number);
            case KeeperOperation.Describe:
                return Said(host.Describe());
            case KeeperOperation.DetachGo:
                host.DetachGo(request.First);
                return default;
            case KeeperOperation.IncludeGroup when IsGroup(rest):
                return new KeeperReply { Result = host.IncludeGroup(rest) ? 1 : 0 };
            case KeeperOperation.ScanListeners when request.Pid == 0:
                return Given(host.ScanListeners(0));
            case >= KeeperOperation.FlowStart and <= KeeperOperation.FlowState:
                return flows is null ? Refusal(Errno.ENODEV) : OfFlows(flows, in request);
            default:
                return OfProcess(in request, rest);
        }
    }

    private KeeperReply OfProcess(in KeeperRequest request, ReadOnlySpan<byte> rest)
    {
        if (!host.ReadsProcesses)
        {
            return Refusal(Errno.ENODEV);
        }

        if (request.Pid is <= 0 or >= SelectionMap.PidLimit || IsOwn(request.Pid))
        {
            return Refusal(Errno.ESRCH);
        }

        switch (request.Operation)
        {
            case KeeperOperation.ReadLink when (ProcessLink)request.Number is ProcessLink.Executable or ProcessLink.UserNamespace:
                return Told(proc.ReadLink(request.Pid, (ProcessLink)request.Number, text));
            case KeeperOperation.OpenMaps:
                return Given(proc.OpenMaps(request.Pid));
            case KeeperOperation.Variables:
                return Told(ServiceNames.Collect(proc, request.Pid, text, out var isEnvironment)) with { Value = isEnvironment ? 1 : 0 };
            case KeeperOperation.StartedWith:
                return Told(host.StartedWith(request.Pid, text));
            case KeeperOperation.NameExecutable:
                return NameExecutable(request.Pid);
            case KeeperOperation.OpenExecutable when named >= 0:
                return Given(proc.OpenExecutable(request.Pid, named));
            case KeeperOperation.AttachGo when named >= 0 && request.First > 0 && request.Second >= 0:
                return OwnFiles.Contain(named)
                    ? Refusal(Errno.EPERM) : new KeeperReply { Value = host.AttachGo(named, request.First, request.Second) };
            case KeeperOperation.BeginGo when MemoryMarshal.TryRead(rest, out GoOffsets offsets):
                host.BeginGo(request.Pid, in offsets);
                return default;
            case KeeperOperation.LeadsTo when rest.Length > 0:
                var leads = proc.LeadsTo(request.Pid, rest, (ulong)request.First, (ulong)request.Second);
                return new KeeperReply { Result = leads ? 1 : 0 };
            case KeeperOperation.ScanListeners:
                return Given(host.ScanListeners(request.Pid));
            case KeeperOperation.ReadIo or KeeperOperation.CountFiles when !host.MeasuresProcesses:
                return Refusal(Errno.ENODEV);
            case KeeperOperation.ReadIo:
                return Told(proc.ReadIo(request.Pid, text));
            case KeeperOperation.CountFiles:
                var files = proc.ListFiles(request.Pid);
                return files < 0 ? Refusal(-files) : new KeeperReply { Value = files };
            default:
                return Refusal(Errno.EINVAL);
        }
    }

    /// <summary>
    /// Where the memory of this process lies is nobody's business. /proc knows it by the id of each of its threads too (proc(5)).
    /// </summary>
    private static bool IsOwn(int pid) => pid == Environment.ProcessId
        || ProcCalls.MayExist(ProcCalls.NumberedPath("/proc/self/task/"u8, pid, stackalloc byte[32]));

    private KeeperReply OpenDesk()
    {
        using var other = host.OpenDesk();
        var copy = Descriptor.Duplicate(other.FileDescriptor);
        return Given(copy);
    }

    /// <summary>The worker gets one, and one stays here: what it gives back could be another file.</summary>
    private KeeperReply NameExecutable(int pid)
    {
        var file = proc.NameExecutable(pid);
        Name(file < 0 ? -1 : Descriptor.Duplicate(file));
        return Given(file);
    }

    private void Name(int file)
    {
        if (named >= 0)
        {
            _ = Descriptor.Close(named);
        }

        named = file;
    }

    private KeeperReply Count(CounterGroup group)
    {
        var length = 0;
        foreach (ref readonly var counters in places.AsSpan(0, host.Count(group, places)))
        {
            MemoryMarshal.Write(text.AsSpan(length), CounterNames.Row(in counters));
            length += Marshal.SizeOf<CounterRow>();
        }

        return Told(length);
    }

    /// <summary>A path below the mount of the control groups, and nowhere else.</summary>
    private static bool IsGroup(ReadOnlySpan<byte> path) =>
        path.StartsWith("/"u8) && path.IndexOf((byte)0) < 0 && path.IndexOf("/../"u8) < 0 && !path.EndsWith("/.."u8);

    /// <summary>A line; the end of one that is too long is left out.</summary>
    private KeeperReply Said(string line)
    {
        _ = Utf8.FromUtf16(line, text, out _, out var length);
        return Told(length);
    }

    private static KeeperReply Told(int length) => length < 0 ? Refusal(-length) : new KeeperReply { Length = (uint)length };

    private KeeperReply Given(int file)
    {
        if (file < 0)
        {
            return Refusal(-file);
        }

        givesAway = true;
        descriptors[0] = file;
        return new KeeperReply { Descriptors = 1 };
    }

    private KeeperReply Failure(KernelException refusal) =>
        Said($"{refusal.Operation}\n{refusal.Evidence}") with { Result = refusal.Errno > 0 ? -refusal.Errno : -Errno.EIO };

    private static KeeperReply Refusal(int errno) => new() { Result = -errno };
}
