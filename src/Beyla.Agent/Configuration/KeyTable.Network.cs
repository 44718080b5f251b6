namespace Beyla.Agent.Configuration;

/// <summary>Network flows, and statistics of TCP connections.</summary>
internal static partial class KeyTable
{
    private const string NetworkFlows = """
        +network.agent_ip_iface|BEYLA_NETWORK_AGENT_IP_IFACE|interface|external
          The interface whose address names the agent: the one that leads outside, the loopback one, or one by name.
        +network.agent_ip_type|BEYLA_NETWORK_AGENT_IP_TYPE|one any ipv4 ipv6|any
          Which version of IP the address that names the agent must have.
        +network.agent_ip|BEYLA_NETWORK_AGENT_IP|address|
          The address that names the agent in flows; unset takes one of the host, by the next two settings.
        +network.cache_active_timeout|BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT|duration >0|5s
          How long a flow is gathered before it is reported.
        +network.cache_max_flows|BEYLA_NETWORK_CACHE_MAX_FLOWS|int 1..1000000|5000
          How many flows are held at once.
        +network.cidrs|BEYLA_NETWORK_CIDRS|networks|
          Address blocks by which flows are labelled; the narrowest block that holds an address counts.
        +network.deduper_fc_ttl|BEYLA_NETWORK_DEDUPER_FC_TTL|duration >0|
          How long the interface of a flow is remembered; unset is twice network.cache_active_timeout.
        +network.deduper|BEYLA_NETWORK_DEDUPER|one first_come none|first_come
          Of a flow that several interfaces see: first_come counts the interface that saw it first, none counts all.
        +network.direction|BEYLA_NETWORK_DIRECTION|one both egress ingress|both
          Which packets are looked at: those that come in, those that go out, or both.
        +network.enable|BEYLA_NETWORK_METRICS|bool|false
          Captures network flows.
        +network.exclude_interfaces|BEYLA_NETWORK_EXCLUDE_INTERFACES|names|lo
          Interfaces that are not watched.
        +network.exclude_protocols|BEYLA_NETWORK_EXCLUDE_PROTOCOLS|protocols|
          Transport protocols that are not watched; without effect where network.protocols is set.
        network.geo_ip.cache_expiry|BEYLA_GEOIP_CACHE_TTL|duration|1h
          How long the country of an address is remembered.
        network.geo_ip.cache_len|BEYLA_GEOIP_CACHE_LEN|int|512
          How many addresses have their country remembered.
        network.geo_ip.ipinfo.path|BEYLA_GEOIP_IPINFO_PATH|text|
          The database of IPinfo that tells the country of an address.
        network.geo_ip.maxmind.asn_path|BEYLA_GEOIP_MAXMIND_ASN_PATH|text|
          The database of MaxMind that tells the autonomous system of an address.
        network.geo_ip.maxmind.country_path|BEYLA_GEOIP_MAXMIND_COUNTRY_PATH|text|
          The database of MaxMind that tells the country of an address.
        +network.guess_ports|BEYLA_NETWORK_GUESS_PORTS|one disable ordinal|disable
          With ordinal the higher port counts as the client's where it is not known who began.
        +network.interfaces|BEYLA_NETWORK_INTERFACES|names|
          Interfaces that are watched; empty is all.
        +network.listen_interfaces|BEYLA_NETWORK_LISTEN_INTERFACES|one poll watch|watch
          How new interfaces are found: by being told of them, or by asking again and again.
        +network.listen_poll_period|BEYLA_NETWORK_LISTEN_POLL_PERIOD|duration >0|10s
          How often interfaces are asked for with poll.
        +network.print_flows|BEYLA_NETWORK_PRINT_FLOWS|bool|false
          Prints each flow as a line of text to standard output.
        +network.protocols|BEYLA_NETWORK_PROTOCOLS|protocols|
          Transport protocols that are watched; empty is all.
        +network.require_process|BEYLA_NETWORK_REQUIRE_PROCESS|bool|false
          Refuses to start where the process of a flow cannot be found.
        +network.reverse_dns.cache_expiry|BEYLA_REVERSE_DNS_CACHE_TTL|duration >0|1h
          How long the name of an address is remembered.
        +network.reverse_dns.cache_len|BEYLA_REVERSE_DNS_CACHE_LEN|int 1..|256
          How many names of addresses are remembered.
        +network.reverse_dns.type|BEYLA_REVERSE_DNS_TYPE|one ebpf local none|none
          How addresses get names: local asks the resolver of the host. ebpf is not built yet: a warning says so.
        +network.sampling|BEYLA_NETWORK_SAMPLING|int 0..|0
          One packet in so many is looked at; 0 and 1 are every packet.
        +network.source|BEYLA_NETWORK_SOURCE|one socket_filter tc|socket_filter
          Where packets are seen: by packet sockets, or by traffic control (tc).
        """;

    private const string TcpStatistics = """
        stats.agent_ip_iface|BEYLA_STATS_AGENT_IP_IFACE|interface|external
          As network.agent_ip_iface.
        stats.agent_ip_type|BEYLA_STATS_AGENT_IP_TYPE|one any ipv4 ipv6|any
          As network.agent_ip_type.
        stats.agent_ip|BEYLA_STATS_AGENT_IP|address|
          As network.agent_ip.
        +stats.cidrs|BEYLA_STATS_CIDRS|networks|
          As network.cidrs, for TCP statistics.
        stats.geo_ip.cache_expiry|BEYLA_GEOIP_CACHE_TTL|duration|1h
          As network.geo_ip.cache_expiry.
        stats.geo_ip.cache_len|BEYLA_GEOIP_CACHE_LEN|int|512
          As network.geo_ip.cache_len.
        stats.geo_ip.ipinfo.path|BEYLA_GEOIP_IPINFO_PATH|text|
          As network.geo_ip.ipinfo.path.
        stats.geo_ip.maxmind.asn_path|BEYLA_GEOIP_MAXMIND_ASN_PATH|text|
          As network.geo_ip.maxmind.asn_path.
        stats.geo_ip.maxmind.country_path|BEYLA_GEOIP_MAXMIND_COUNTRY_PATH|text|
          As network.geo_ip.maxmind.country_path.
        +stats.print_stats|BEYLA_STATS_PRINT_STATS|bool|false
          Prints statistics of TCP connections as lines of text.
        stats.reverse_dns.cache_expiry|BEYLA_REVERSE_DNS_CACHE_TTL|duration|1h
          As network.reverse_dns.cache_expiry.
        stats.reverse_dns.cache_len|BEYLA_REVERSE_DNS_CACHE_LEN|int 1..|256
          As network.reverse_dns.cache_len.
        stats.reverse_dns.type|BEYLA_REVERSE_DNS_TYPE|one ebpf local none|none
          As network.reverse_dns.type.
        """;
}
