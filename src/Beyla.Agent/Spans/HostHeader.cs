using System.Buffers.Text;

namespace Beyla.Agent.Spans;

/// <summary>The Host field of a request: <c>uri-host [ ":" port ]</c> (RFC 9110 section 7.2).</summary>
internal static class HostHeader
{
    /// <summary>Takes it apart. An IPv6 address comes without its brackets, as server.address has it.</summary>
    /// <param name="value">The field.</param>
    /// <param name="name">Name or address.</param>
    /// <param name="port">The port; null where there is none.</param>
    /// <returns>False when it is empty or not in that form.</returns>
    internal static bool TrySplit(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> name, out int? port)
    {
        name = value;
        port = null;
        var end = value.Length;
        if (value.StartsWith("["u8))
        {
            end = value.IndexOf((byte)']') + 1;
            if (end <= 2)
            {
                return false;
            }

            name = value[1..(end - 1)];
        }
        else if (value.IndexOf((byte)':') is >= 0 and var colon)
        {
            end = colon;
            name = value[..end];
        }

        var rest = value[end..];
        if (rest.Length > 1)
        {
            if (rest[0] != ':' || !Utf8Parser.TryParse(rest[1..], out ushort number, out var used) || used != rest.Length - 1)
            {
                return false;
            }

            port = number;
        }

        return !name.IsEmpty && (rest.IsEmpty || rest[0] == ':');
    }
}
