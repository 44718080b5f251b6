namespace Beyla;

/// <summary>Protocol number of an IP header (IANA protocol-numbers); the ones with a name are those that are often met.</summary>
public enum Transport : byte
{
    Icmp = 1,
    Igmp = 2,
    IpIp = 4,
    Tcp = 6,
    Udp = 17,
    Dccp = 33,
    IPv6 = 41,
    Gre = 47,
    Esp = 50,
    Ah = 51,
    IcmpV6 = 58,
    Pim = 103,
    Vrrp = 112,
    L2tp = 115,
    Sctp = 132,
    UdpLite = 136,
}

/// <summary>Part of a flow in its conversation.</summary>
public enum FlowDirection : byte
{
    /// <summary>Nothing tells who called.</summary>
    Unknown,

    /// <summary>From the side that called.</summary>
    Request,

    /// <summary>From the side that was called.</summary>
    Response,
}

/// <summary>Way of packets through an interface.</summary>
public enum InterfaceDirection : byte
{
    /// <summary>Into the host.</summary>
    Ingress,

    /// <summary>Out of the host.</summary>
    Egress,
}

/// <summary>Flags of TCP headers (RFC 9293 section 3.1).</summary>
[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
    Urg = 32,
    Ece = 64,
    Cwr = 128,
}
