using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Flows;

/// <summary>The constants of the flow programs (bpf/flows.bpf.c, struct flow_settings).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowSettings
{
    /// <summary>Count one packet of so many; 0 and 1: all.</summary>
    public uint Sampling;

    /// <summary>Wake the agent after so many new flows.</summary>
    public uint WakeEvery;

    /// <summary>1: count packets that come in; 0: do not.</summary>
    public byte Ingress;

    /// <summary>1: count packets that go out; 0: do not.</summary>
    public byte Egress;

    /// <summary>1: <see cref="Protocols"/> decides.</summary>
    public byte ByProtocol;
    private readonly byte padding;

    /// <summary>The protocols to count, used where <see cref="ByProtocol"/> is 1.</summary>
    public ProtocolTable Protocols;

    /// <summary>The constants for what the configuration asks for.</summary>
    internal static FlowSettings From(NetworkConfiguration options)
    {
        var settings = new FlowSettings
        {
            Sampling = (uint)Math.Max(0, options.Sampling),
            WakeEvery = (uint)Math.Max(1, options.CacheMaxFlows / 2),
            Ingress = (byte)(options.Direction == FlowDirections.Egress ? 0 : 1),
            Egress = (byte)(options.Direction == FlowDirections.Ingress ? 0 : 1),
            ByProtocol = (byte)(options.Protocols.Count + options.ExcludeProtocols.Count > 0 ? 1 : 0),
        };
        for (var protocol = 0; protocol < 256; protocol++)
        {
            // As in Grafana Beyla, a list of what to count overrides one of what to leave out.
            var wanted = options.Protocols.Count > 0
                ? options.Protocols.Contains((byte)protocol)
                : !options.ExcludeProtocols.Contains((byte)protocol);
            settings.Protocols[protocol] = (byte)(wanted ? 1 : 0);
        }

        return settings;
    }

    /// <summary>1 for each protocol number that counts.</summary>
    [InlineArray(256)]
    public struct ProtocolTable
    {
        private byte first;
    }
}
