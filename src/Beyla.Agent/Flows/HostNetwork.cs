using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Flows;

/// <summary>
/// What flows tell of the host itself: the names of its interfaces, which addresses are its own, and the agent's. Follows it by a netlink
/// socket of its own, which needs no capability. One thread.
/// </summary>
internal sealed class HostNetwork : IDisposable
{
    /// <summary>Names of interfaces that are gone are kept for flows that are not reported yet.</summary>
    private const int MostNames = 4096;

    private readonly NetworkConfiguration options;
    private readonly NetworkLinks network = new(trafficControl: false);
    private readonly LocalAddresses addresses = new();
    private readonly Dictionary<uint, string> names = [];
    private readonly List<int> unused = [];
    private bool changed = true;

    /// <param name="options">What is asked for as the agent's address.</param>
    /// <exception cref="KernelException">The kernel does not tell.</exception>
    internal HostNetwork(NetworkConfiguration options)
    {
        this.options = options;
        try
        {
            Follow();
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Becomes readable when something changed; then <see cref="Follow"/> is to be called.</summary>
    internal int FileDescriptor => network.FileDescriptor;

    /// <summary>The agent's own address, as flows show it.</summary>
    internal Address AgentAddress { get; private set; }

    /// <summary>The newest name of an interface, empty when it was never seen.</summary>
    internal string NameOf(uint index) => names.GetValueOrDefault(index, "");

    /// <inheritdoc cref="LocalAddresses.Contains"/>
    internal bool IsOurs(in Address address) => addresses.Contains(in address);

    /// <summary>Takes what changed; what could not be read now is read the next time.</summary>
    /// <exception cref="KernelException">The kernel does not tell.</exception>
    internal void Follow()
    {
        // An interface may come and go between two looks: its name is in the notification.
        changed |= network.ReadChanges(unused, unused, out _, names);
        unused.Clear();
        if (!changed)
        {
            return;
        }

        if (names.Count > MostNames)
        {
            names.Clear();
        }

        var links = network.List();
        foreach (var link in links)
        {
            names[(uint)link.Index] = link.Name;
        }

        var list = network.Addresses();
        addresses.Update(list);
        AgentAddress = Flows.AgentAddress.Find(options, links, list);
        changed = false;
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();
}
