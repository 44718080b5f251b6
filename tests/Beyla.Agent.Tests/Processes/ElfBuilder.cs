using System.Buffers.Binary;
using System.Text;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Writes small ELF files with the sections that a test names.</summary>
internal static class ElfBuilder
{
    /// <summary>The file: header, contents, names, section table.</summary>
    public static byte[] Build(params (string Name, string Content)[] sections)
    {
        var file = new MemoryStream();
        file.Write(new byte[64]);
        var headers = new List<byte[]> { new byte[64] };
        var names = new MemoryStream();
        names.WriteByte(0);
        foreach (var (name, content) in sections)
        {
            headers.Add(Section(Name(name), 1, Add(file, Encoding.UTF8.GetBytes(content))));
        }

        var own = Name(".shstrtab");
        headers.Add(Section(own, 3, Add(file, names.ToArray())));
        var table = file.Position;
        headers.ForEach(header => file.Write(header));
        var bytes = file.ToArray();
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), table);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(52), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(60), (ushort)headers.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(62), (ushort)(headers.Count - 1));
        return bytes;

        int Name(string name)
        {
            var offset = (int)names.Position;
            names.Write(Encoding.UTF8.GetBytes(name + "\0"));
            return offset;
        }
    }

    private static (long Offset, int Size) Add(MemoryStream file, byte[] content)
    {
        var offset = file.Position;
        file.Write(content);
        return (offset, content.Length);
    }

    private static byte[] Section(int name, int type, (long Offset, int Size) place)
    {
        var header = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(header, name);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), type);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), place.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), place.Size);
        return header;
    }
}
