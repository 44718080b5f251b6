using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>An interface of the agent's network namespace.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Name">Its name now.</param>
/// <param name="IsLoopback">Whether it is the loopback interface (IFF_LOOPBACK).</param>
public readonly record struct NetworkLink(int Index, string Name, bool IsLoopback);

/// <summary>An address of an interface of the agent's network namespace.</summary>
/// <param name="Interface">The interface's index.</param>
/// <param name="Address">The address.</param>
/// <param name="IsGlobal">Scope global: neither loopback nor link-local.</param>
/// <param name="PrefixLength">Bits of the network that it is in.</param>
public readonly record struct NetworkAddress(int Interface, IPAddress Address, bool IsGlobal, int PrefixLength = 128);

/// <summary>
/// Lists interfaces and their addresses, and tells of changes and of classifiers that were removed, by route netlink.
/// Needs no capability.
/// </summary>
public sealed class NetworkLinks : IDisposable
{
    private const ushort NewLink = 16, DeleteLink = 17, GetLink = 18, NewAddress = 20, GetAddress = 22;
    private const ushort NewDiscipline = 36, DeleteDiscipline = 37, DeleteFilter = 45, IflaName = 3, IfaAddress = 1, IfaLocal = 2;
    private const uint IffLoopback = 8;
    private const int LinkHeader = 16, AddressHeader = 8;

    private readonly NetlinkSocket requests = new();
    private readonly NetlinkSocket notifications;

    /// <param name="trafficControl">Whether to be told of what traffic control does.</param>
    public NetworkLinks(bool trafficControl = true)
    {
        try
        {
            notifications = new NetlinkSocket(
                NetlinkSocket.LinkGroup | NetlinkSocket.AddressGroups | (trafficControl ? NetlinkSocket.TrafficControlGroup : 0));
        }
        catch
        {
            requests.Dispose();
            throw;
        }
    }

    /// <summary>Becomes readable when an interface, an address or what traffic control does changes.</summary>
    public int FileDescriptor => notifications.FileDescriptor;

    /// <summary>All interfaces.</summary>
    public List<NetworkLink> List()
    {
        var links = new List<NetworkLink>();
        var errno = requests.Dump(new NetlinkMessage(GetLink, NetlinkMessage.FlagDump).With(default(LinkMessage)), (type, payload) =>
        {
            if (type == NewLink && payload.Length >= LinkHeader)
            {
                var index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
                var flags = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
                links.Add(new NetworkLink(index, NetlinkMessage.FindText(payload[LinkHeader..], IflaName), (flags & IffLoopback) != 0));
            }
        });
        return errno == 0 ? links : throw new KernelException("list the network interfaces", errno);
    }

    /// <summary>All addresses.</summary>
    public List<NetworkAddress> Addresses()
    {
        var addresses = new List<NetworkAddress>();
        var errno = requests.Dump(new NetlinkMessage(GetAddress, NetlinkMessage.FlagDump).With(default(AddressMessage)), (type, payload) =>
        {
            if (type != NewAddress || payload.Length < AddressHeader)
            {
                return;
            }

            // On a point-to-point link IFA_ADDRESS is the peer; IFA_LOCAL is absent for IPv6.
            var bytes = NetlinkMessage.Find(payload[AddressHeader..], IfaLocal);
            bytes = bytes.IsEmpty ? NetlinkMessage.Find(payload[AddressHeader..], IfaAddress) : bytes;
            if (bytes.Length is 4 or 16)
            {
                addresses.Add(new NetworkAddress(
                    BinaryPrimitives.ReadInt32LittleEndian(payload[4..]), new IPAddress(bytes), payload[3] == 0, payload[1]));
            }
        });
        return errno == 0 ? addresses : throw new KernelException("list the addresses of the network interfaces", errno);
    }

    /// <summary>Takes the changes that wait.</summary>
    /// <param name="removed">Gets the index of each interface that went away, also when another one has its index by now.</param>
    /// <param name="bared">Gets the index of each interface that lost a classifier or its queueing discipline.</param>
    /// <param name="complete">False when notifications were lost: then anything may have changed.</param>
    /// <param name="names">Gets the name of each interface that came or changed, also when it is gone by now.</param>
    /// <returns>Whether interfaces or addresses changed, or may have.</returns>
    public bool ReadChanges(
        ICollection<int> removed, ICollection<int> bared, out bool complete, Dictionary<uint, string>? names = null)
    {
        var changed = false;
        complete = notifications.ReadNotifications((type, payload) =>
        {
            // All of traffic control comes behind links and addresses.
            if (type >= NewDiscipline)
            {
                if (type is DeleteDiscipline or DeleteFilter && payload.Length >= LinkHeader)
                {
                    bared.Add(BinaryPrimitives.ReadInt32LittleEndian(payload[4..]));
                }

                return;
            }

            changed = true;
            // A bridge reports the loss of a port in the same way, in a family of its own.
            if (type is not (NewLink or DeleteLink) || payload.Length < LinkHeader || payload[0] != 0)
            {
                return;
            }

            var index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
            if (type == DeleteLink)
            {
                removed.Add(index);
            }
            else if (names is not null)
            {
                names[(uint)index] = NetlinkMessage.FindText(payload[LinkHeader..], IflaName);
            }
        });
        return changed || !complete;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        requests.Dispose();
        notifications.Dispose();
    }

    /// <summary>struct ifinfomsg.</summary>
    [StructLayout(LayoutKind.Sequential, Size = LinkHeader)]
    private struct LinkMessage
    {
        public byte Family;
    }

    /// <summary>struct ifaddrmsg.</summary>
    [StructLayout(LayoutKind.Sequential, Size = AddressHeader)]
    private struct AddressMessage
    {
        public byte Family;
    }
}
