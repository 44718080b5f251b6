using System.Buffers.Binary;
using System.Text;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>Makes messages by the PostgreSQL manual, "Message Formats".</summary>
internal static class PostgresWire
{
    public static byte[] Query(string sql) => Message('Q', Text(sql));

    public static byte[] Parse(string name, string sql) => Message('P', [.. Text(name), .. Text(sql), 0, 0]);

    public static byte[] Bind(string portal, string statement) => Message('B', [.. Text(portal), .. Text(statement), 0, 0, 0, 0, 0, 0]);

    public static byte[] Execute(string portal, int rows = 0) => Message('E', [.. Text(portal), .. Int(rows)]);

    public static byte[] CloseStatement(string name) => Message('C', [(byte)'S', .. Text(name)]);

    public static byte[] ClosePortal(string name) => Message('C', [(byte)'P', .. Text(name)]);

    public static byte[] Describe(string portal) => Message('D', [(byte)'P', .. Text(portal)]);

    public static byte[] Sync { get; } = Message('S', []);

    public static byte[] Flush { get; } = Message('H', []);

    public static byte[] Complete(string tag) => Message('C', Text(tag));

    public static byte[] Ready(char status = 'I') => Message('Z', [(byte)status]);

    public static byte[] ParseComplete { get; } = Message('1', []);

    public static byte[] BindComplete { get; } = Message('2', []);

    public static byte[] CloseComplete { get; } = Message('3', []);

    public static byte[] Suspended { get; } = Message('s', []);

    public static byte[] NoData { get; } = Message('n', []);

    public static byte[] Error(string state, string severity = "ERROR") =>
        Message('E', [.. Text("S" + severity), .. Text("V" + severity), .. Text("C" + state), .. Text("Mwith 'data' in it"), 0]);

    public static byte[] Notice { get; } = Message('N', [.. Text("SNOTICE"), .. Text("VNOTICE"), .. Text("C00000"), .. Text("Mhello"), 0]);

    public static byte[] Row(string value) => Message('D', [0, 1, .. Int(value.Length), .. Encoding.Latin1.GetBytes(value)]);

    public static byte[] RowDescription { get; } = Message('T', [0, 1, .. Text("c"), .. new byte[18]]);

    public static byte[] StartUp(params string[] parameters)
    {
        byte[] body = [.. Int(196608), .. parameters.SelectMany(Text), 0];
        return [.. Int(body.Length + 4), .. body];
    }

    public static byte[] SslRequest { get; } = [.. Int(8), .. Int(80877103)];

    public static byte[] GssRequest { get; } = [.. Int(8), .. Int(80877104)];

    /// <summary>AuthenticationOk and ReadyForQuery.</summary>
    public static byte[] Welcome { get; } = [.. Message('R', Int(0)), .. Message('K', [.. Int(7), .. Int(8)]), .. Ready()];

    public static byte[] Message(char type, byte[] body) => [(byte)type, .. Int(body.Length + 4), .. body];

    private static byte[] Text(string text) => [.. Encoding.Latin1.GetBytes(text), 0];

    private static byte[] Int(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
