using Beyla.Agent.Kernel;

namespace Beyla.Agent.Spans;

/// <summary>What the table that the reader of the stream has too says of a protocol.</summary>
internal static class SpanProtocols
{
    /// <summary>Its row in the table.</summary>
    internal static SpanProtocol Of(ProtocolId protocol) => protocol switch
    {
        ProtocolId.Postgres => SpanProtocol.PostgreSql,
        ProtocolId.Redis => SpanProtocol.Redis,
        ProtocolId.Sql => SpanProtocol.Sql,
        _ => SpanProtocol.Http,
    };
}
