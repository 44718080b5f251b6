using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>A classifier on the clsact queueing discipline of an interface.</summary>
/// <param name="Interface">The interface's index.</param>
/// <param name="Egress">Outgoing packets, else incoming ones.</param>
/// <param name="Handle">Its number within the priority.</param>
/// <param name="Priority">Lower ones run first.</param>
/// <param name="Name">As it was given when it was made; empty for a classifier of another kind than bpf.</param>
public readonly record struct TrafficFilter(int Interface, bool Egress, uint Handle, ushort Priority, string Name);

/// <summary>
/// Attaches classifiers by route netlink where there is no tcx (tc-bpf(8)). What it makes stays when the process dies, so
/// everything it makes carries a name by which it is found again. Needs CAP_NET_ADMIN, except for listing. Not thread-safe.
/// </summary>
public sealed class TrafficControl : IDisposable
{
    private const ushort NewQdisc = 36, DeleteQdisc = 37, NewFilter = 44, DeleteFilter = 45, GetFilter = 46;
    private const ushort Kind = 1, Options = 2, BpfFd = 6, BpfName = 7, BpfFlags = 8;
    private const uint ClsactParent = 0xfffffff1, ClsactHandle = 0xffff0000, IngressParent = 0xfffffff2, EgressParent = 0xfffffff3;
    private const uint DirectAction = 1;
    private const int MessageSize = 20;
    private const ushort AllProtocols = 0x0300; // htons(ETH_P_ALL)

    private readonly NetlinkSocket netlink = new();

    /// <summary>Makes the clsact discipline of an interface.</summary>
    /// <returns>False when it was there already.</returns>
    public bool CreateDiscipline(int interfaceIndex)
    {
        var message = new NetlinkMessage(NewQdisc, NetlinkMessage.FlagAck | NetlinkMessage.FlagCreate | NetlinkMessage.FlagExclusive)
            .With(new TcMessage { Interface = interfaceIndex, Handle = ClsactHandle, Parent = ClsactParent })
            .Attribute(Kind, "clsact");
        var errno = netlink.Request(message);
        return errno switch
        {
            0 => true,
            Errno.EEXIST => false,
            _ => throw Failure("add clsact to interface", interfaceIndex, errno),
        };
    }

    /// <summary>Removes the clsact discipline with all its classifiers; nothing happens when it is not there.</summary>
    public void RemoveDiscipline(int interfaceIndex) => _ = netlink.Request(new NetlinkMessage(DeleteQdisc, NetlinkMessage.FlagAck)
        .With(new TcMessage { Interface = interfaceIndex, Handle = ClsactHandle, Parent = ClsactParent })
        .Attribute(Kind, "clsact"));

    /// <summary>Attaches a classifier before those of others; behind them when the first place is taken by one of another kind.</summary>
    /// <param name="program">Returns TC_ACT_UNSPEC, so that the others run as before.</param>
    /// <param name="interfaceIndex">The interface; it has the clsact discipline.</param>
    /// <param name="egress">Outgoing packets, else incoming ones.</param>
    /// <param name="name">Unique.</param>
    /// <returns>The classifier.</returns>
    public TrafficFilter Attach(BpfProgram program, int interfaceIndex, bool egress, string name)
    {
        const ushort first = 1, any = 0;
        var errno = Add(program, interfaceIndex, egress, name, first);
        if (errno is Errno.EINVAL or Errno.EEXIST)
        {
            errno = Add(program, interfaceIndex, egress, name, any);
        }

        if (errno != 0)
        {
            throw Failure($"attach program {program.Name} by tc to interface", interfaceIndex, errno);
        }

        foreach (var filter in List(interfaceIndex, egress))
        {
            if (filter.Name == name)
            {
                return filter;
            }
        }

        throw Failure($"find program {program.Name} attached by tc on interface", interfaceIndex, Errno.ENOENT);
    }

    /// <summary>Detaches a classifier; nothing happens when it is gone.</summary>
    public void Detach(TrafficFilter filter) => _ = netlink.Request(new NetlinkMessage(DeleteFilter, NetlinkMessage.FlagAck)
        .With(Message(filter.Interface, filter.Egress, filter.Handle, filter.Priority))
        .Attribute(Kind, "bpf"));

    /// <summary>The classifiers of one direction; none when the interface or the discipline is not there.</summary>
    public List<TrafficFilter> List(int interfaceIndex, bool egress)
    {
        var filters = new List<TrafficFilter>();
        var request = new NetlinkMessage(GetFilter, NetlinkMessage.FlagDump).With(Message(interfaceIndex, egress, 0, 0));
        _ = netlink.Dump(request, (type, payload) =>
        {
            if (type != NewFilter || payload.Length < MessageSize)
            {
                return;
            }

            var handle = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
            var priority = (ushort)(BinaryPrimitives.ReadUInt32LittleEndian(payload[16..]) >> 16);
            var options = NetlinkMessage.Find(payload[MessageSize..], Options);
            // Each priority also reports itself without a filter, with handle 0.
            if (handle != 0)
            {
                filters.Add(new TrafficFilter(interfaceIndex, egress, handle, priority, NetlinkMessage.FindText(options, BpfName)));
            }
        });
        return filters;
    }

    /// <inheritdoc/>
    public void Dispose() => netlink.Dispose();

    private int Add(BpfProgram program, int interfaceIndex, bool egress, string name, ushort priority)
    {
        var message = new NetlinkMessage(NewFilter, NetlinkMessage.FlagAck | NetlinkMessage.FlagCreate | NetlinkMessage.FlagExclusive)
            .With(Message(interfaceIndex, egress, 0, priority))
            .Attribute(Kind, "bpf");
        var options = message.Begin(Options);
        _ = message.Attribute(BpfFd, (uint)program.FileDescriptor).Attribute(BpfName, name).Attribute(BpfFlags, DirectAction);
        message.End(options);
        return netlink.Request(message);
    }

    private static TcMessage Message(int interfaceIndex, bool egress, uint handle, ushort priority) => new()
    {
        Interface = interfaceIndex,
        Handle = handle,
        Parent = egress ? EgressParent : IngressParent,
        Info = ((uint)priority << 16) | AllProtocols,
    };

    private static KernelException Failure(string operation, int interfaceIndex, int errno) =>
        new(FormattableString.Invariant($"{operation} {interfaceIndex}"), errno, errno == Errno.EPERM ? "needs CAP_NET_ADMIN" : "");

    /// <summary>struct tcmsg.</summary>
    [StructLayout(LayoutKind.Sequential, Size = MessageSize)]
    private struct TcMessage
    {
        public byte Family;
        public int Interface;
        public uint Handle;
        public uint Parent;
        public uint Info;
    }
}
