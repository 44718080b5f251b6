using Beyla.Agent.Kernel;

namespace Beyla.Agent.Export;

/// <summary>What the printers say of a protocol.</summary>
internal static class ProtocolNames
{
    /// <summary>How many there are, when <see cref="ProtocolId.None"/> counts as HTTP.</summary>
    internal const int Count = (int)ProtocolId.Sql + 1;

    /// <summary>
    /// The type and sub-type in the line of Grafana Beyla: <c>HTTP(subType=0)</c>, <c>SQLClient(subType=1)</c> (its EventType and SQLKind).
    /// </summary>
    internal static ReadOnlySpan<byte> PeerType(ProtocolId protocol, SpanKind kind) => (protocol, kind) switch
    {
        (ProtocolId.Postgres, SpanKind.Client) => "SQLClient(subType=1)"u8,
        (ProtocolId.Postgres, _) => "SQLServer(subType=1)"u8,
        (ProtocolId.Redis, SpanKind.Client) => "RedisClient(subType=0)"u8,
        (ProtocolId.Redis, _) => "RedisServer(subType=0)"u8,
        (ProtocolId.Sql, SpanKind.Client) => "SQLClient(subType=0)"u8,
        (ProtocolId.Sql, _) => "SQLServer(subType=0)"u8,
        (_, SpanKind.Client) => "HTTPClient(subType=0)"u8,
        _ => "HTTP(subType=0)"u8,
    };
}
