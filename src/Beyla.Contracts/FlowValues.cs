namespace Beyla;

/// <summary>Protocol number of an IP header (IANA protocol-numbers); the ones with a name are those that are often met.</summary>
public enum Transport : byte
{
    /// <summary>Internet Control Message (RFC 792).</summary>
    Icmp = 1,

    /// <summary>Internet Group Management (RFC 1112).</summary>
    Igmp = 2,

    /// <summary>IPv4 in IP (RFC 2003).</summary>
    IpIp = 4,

    /// <summary>Transmission Control (RFC 9293).</summary>
    Tcp = 6,

    /// <summary>User Datagram (RFC 768).</summary>
    Udp = 17,

    /// <summary>Datagram Congestion Control (RFC 4340).</summary>
    Dccp = 33,

    /// <summary>IPv6 in IP (RFC 2473).</summary>
    IPv6 = 41,

    /// <summary>Generic Routing Encapsulation (RFC 2784).</summary>
    Gre = 47,

    /// <summary>Encapsulating Security Payload of IPsec (RFC 4303).</summary>
    Esp = 50,

    /// <summary>Authentication Header of IPsec (RFC 4302).</summary>
    Ah = 51,

    /// <summary>ICMP for IPv6 (RFC 4443).</summary>
    IcmpV6 = 58,

    /// <summary>Protocol Independent Multicast (RFC 7761).</summary>
    Pim = 103,

    /// <summary>Virtual Router Redundancy (RFC 9568).</summary>
    Vrrp = 112,

    /// <summary>Layer Two Tunneling, version 3 (RFC 3931).</summary>
    L2tp = 115,

    /// <summary>Stream Control Transmission (RFC 9260).</summary>
    Sctp = 132,

    /// <summary>UDP whose checksum may cover a part only (RFC 3828).</summary>
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
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>FIN: the sender has no more data.</summary>
    Fin = 1,

    /// <summary>SYN: a connection begins.</summary>
    Syn = 2,

    /// <summary>RST: the connection is reset.</summary>
    Rst = 4,

    /// <summary>PSH: data is to be handed on at once.</summary>
    Psh = 8,

    /// <summary>ACK: the acknowledgment number counts.</summary>
    Ack = 16,

    /// <summary>URG: the urgent pointer counts.</summary>
    Urg = 32,

    /// <summary>ECE: congestion was met (RFC 3168).</summary>
    Ece = 64,

    /// <summary>CWR: the sender has slowed down (RFC 3168).</summary>
    Cwr = 128,
}
