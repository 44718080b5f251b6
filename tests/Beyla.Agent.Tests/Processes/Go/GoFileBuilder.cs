using System.Buffers.Binary;
using System.Text;

namespace Beyla.Agent.Tests.Processes.Go;

/// <summary>
/// Writes small executables as Go's linker lays them out: one segment of code, .go.buildinfo (debug/buildinfo), .gopclntab
/// (runtime/symtab.go: pcHeader, functab, _func).
/// </summary>
internal sealed class GoFileBuilder
{
    /// <summary>Where the code begins, in the program's own numbers.</summary>
    public const long TextAddress = 0x401000;

    /// <summary>lea -0x230(%rsp),%r12; cmp 0x10(%r14),%r12; jbe; as Go 1.19.8 begins net/http.(*persistConn).roundTrip.</summary>
    public static readonly byte[] LargeFrame = Convert.FromHexString("4c8da424d0fdffff4d3b66100f86c30e00004881ecb0020000");

    private readonly List<(string Name, byte[] Code)> functions = [];

    /// <summary>What .go.buildinfo says; null for none.</summary>
    public string? Version { get; set; } = "go1.19.8";

    /// <summary>Size of the thread-local storage; null for no PT_TLS.</summary>
    public long? ThreadLocal { get; set; }

    /// <summary>The magic number of .gopclntab.</summary>
    public uint Magic { get; set; } = 0xfffffff0;

    /// <summary>What .gopclntab says of the beginning of the code.</summary>
    public long TextStart { get; set; } = TextAddress;

    /// <summary>What .go.module says of it; null for no such section.</summary>
    public long? ModuleText { get; set; }

    /// <summary>e_machine.</summary>
    public ushort Machine { get; set; } = 62;

    /// <summary>Where in the file each function was put.</summary>
    public Dictionary<string, long> Places { get; } = [];

    /// <summary>Adds a function.</summary>
    public GoFileBuilder Add(string name, byte[]? code = null)
    {
        functions.Add((name, code ?? LargeFrame));
        return this;
    }

    /// <summary>The usual ones.</summary>
    public static GoFileBuilder Usual() => new GoFileBuilder()
        .Add("runtime.main").Add("net/http.(*persistConn).roundTripper").Add("net/http.(*persistConn).roundTrip").Add("z");

    /// <summary>The file.</summary>
    public byte[] Build()
    {
        var file = new MemoryStream();
        file.Write(new byte[64 + (2 * 56)]);
        var sections = new List<(string Name, long Address, long Offset, long Size)>();
        var text = Code(out var entries);
        var textOffset = Put(".text", TextAddress, text);
        foreach (var (name, offset) in entries)
        {
            Places[name] = textOffset + offset;
        }

        if (Version is not null)
        {
            Put(".go.buildinfo", 0x500000, [.. Magic8(), .. new byte[16], (byte)Version.Length, .. Encoding.ASCII.GetBytes(Version), 0]);
        }

        Put(".gopclntab", 0x600000, Table(entries));
        if (ModuleText is { } module)
        {
            var bytes = new byte[200];
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(176), module);
            Put(".go.module", 0x700000, bytes);
        }

        var table = "\0" + string.Concat(sections.Select(section => section.Name + "\0")) + ".shstrtab\0";
        sections.Add((".shstrtab", 0, file.Position, table.Length));
        file.Write(Encoding.ASCII.GetBytes(table));
        var headers = file.Position;
        file.Write(new byte[64]);
        foreach (var section in sections)
        {
            var header = new byte[64];
            BinaryPrimitives.WriteInt32LittleEndian(header, table.IndexOf("\0" + section.Name + "\0", StringComparison.Ordinal) + 1);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), 1);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), section.Address);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), section.Offset);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), section.Size);
            file.Write(header);
        }

        var all = file.ToArray();
        WriteHeader(all, headers, sections.Count + 1);
        WriteSegments(all, textOffset, text.Length);
        return all;

        long Put(string name, long address, byte[] content)
        {
            var offset = file.Position;
            file.Write(content);
            sections.Add((name, address, offset, content.Length));
            return offset;
        }
    }

    private static byte[] Magic8() => [0xff, .. " Go buildinf:"u8, 8, 2];

    private byte[] Code(out List<(string Name, int Offset)> entries)
    {
        entries = [];
        var code = new MemoryStream();
        foreach (var (name, bytes) in functions)
        {
            entries.Add((name, (int)code.Position));
            code.Write(bytes);
            code.Write(new byte[64]);
        }

        return code.ToArray();
    }

    private byte[] Table(List<(string Name, int Offset)> entries)
    {
        var names = "\0" + string.Concat(entries.Select(entry => entry.Name + "\0"));
        int namesAt = 96, tableAt = (namesAt + names.Length + 7) & ~7, functionsAt = (entries.Count * 8) + 4;
        var table = new byte[tableAt + functionsAt + (entries.Count * 44)];
        BinaryPrimitives.WriteUInt32LittleEndian(table, Magic);
        (table[6], table[7]) = (1, 8);
        ReadOnlySpan<long> header = [entries.Count, 1, TextStart, namesAt, namesAt + names.Length, tableAt, tableAt, tableAt];
        for (var i = 0; i < header.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan(8 + (i * 8)), header[i]);
        }

        Encoding.ASCII.GetBytes(names, table.AsSpan(namesAt));
        for (var i = 0; i < entries.Count; i++)
        {
            var function = functionsAt + (i * 44);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(tableAt + (i * 8)), entries[i].Offset);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(tableAt + (i * 8) + 4), function);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(tableAt + function), entries[i].Offset);
            BinaryPrimitives.WriteInt32LittleEndian(
                table.AsSpan(tableAt + function + 4), names.IndexOf("\0" + entries[i].Name + "\0", StringComparison.Ordinal) + 1);
        }

        return table;
    }

    private void WriteHeader(Span<byte> file, long sections, int count)
    {
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file[18..], Machine);
        BinaryPrimitives.WriteInt64LittleEndian(file[32..], 64);
        BinaryPrimitives.WriteInt64LittleEndian(file[40..], sections);
        BinaryPrimitives.WriteUInt16LittleEndian(file[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file[56..], (ushort)(ThreadLocal is null ? 1 : 2));
        BinaryPrimitives.WriteUInt16LittleEndian(file[58..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file[60..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(file[62..], (ushort)(count - 1));
    }

    private void WriteSegments(Span<byte> file, long textOffset, int textLength)
    {
        var code = file[64..];
        BinaryPrimitives.WriteInt32LittleEndian(code, 1);
        BinaryPrimitives.WriteInt32LittleEndian(code[4..], 5);
        BinaryPrimitives.WriteInt64LittleEndian(code[8..], textOffset);
        BinaryPrimitives.WriteInt64LittleEndian(code[16..], TextAddress);
        BinaryPrimitives.WriteInt64LittleEndian(code[32..], textLength);
        BinaryPrimitives.WriteInt64LittleEndian(code[40..], textLength);
        var storage = file[(64 + 56)..];
        BinaryPrimitives.WriteInt32LittleEndian(storage, 7);
        BinaryPrimitives.WriteInt64LittleEndian(storage[40..], ThreadLocal ?? 0);
    }
}
