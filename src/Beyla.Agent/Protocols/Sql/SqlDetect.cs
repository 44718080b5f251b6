namespace Beyla.Agent.Protocols.Sql;

/// <summary>Finds SQL text in the data of a connection whose protocol is not known (setting <c>ebpf.heuristic_sql_detect</c>).</summary>
internal static class SqlDetect
{
    /// <summary>Finds a statement.</summary>
    public static bool Find(ReadOnlySpan<byte> data, out Range text)
    {
        text = default;
        return data.Length < 0;
    }
}
