using System.Text;

namespace Beyla.Agent.Selection;

/// <summary>Encodes one text after the other without allocating. One thread.</summary>
internal sealed class Utf8Room
{
    private byte[] room = new byte[256];

    /// <summary>The text in UTF-8; valid until the next one.</summary>
    public ReadOnlySpan<byte> Encode(string value)
    {
        if (Encoding.UTF8.GetMaxByteCount(value.Length) is var most && most > room.Length)
        {
            room = new byte[most];
        }

        return room.AsSpan(0, Encoding.UTF8.GetBytes(value, room));
    }
}
