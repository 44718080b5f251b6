using System.Buffers;
using System.Buffers.Binary;

namespace Beyla.Agent.Processes;

/// <summary>What the file of an executable tells of the language it was written in.</summary>
[Flags]
internal enum ElfMarks : byte
{
    None = 0, Go = 1, DotnetNative = 2, JavaNative = 4, Node = 8, Rust = 16,
}

/// <summary>
/// Looks for <see cref="ElfMarks"/> in the sections of a 64-bit little-endian ELF file (elf(5)). The file is hostile: each offset, size
/// and count is checked, and not more than <see cref="MaximumScan"/> bytes of a section are read.
/// </summary>
internal static class ElfFile
{
    /// <summary>A file with more sections is looked at as if it had none.</summary>
    internal const int MaximumSections = 4096;

    /// <summary>Bytes of one section that are searched.</summary>
    internal const int MaximumScan = 16 * 1024 * 1024;

    private const int HeaderSize = 64, SectionSize = 64, MaximumNames = 128 * 1024, ChunkSize = 64 * 1024;
    private const uint SHT_NOBITS = 8;

    private readonly record struct Section(uint Name, uint Type, long Offset, long Size, uint Link);

    /// <summary>Reads the marks of an open file; none when it is no such ELF file or is damaged.</summary>
    internal static ElfMarks Read(int file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        // ELFCLASS64, ELFDATA2LSB: what the hosts that the agent runs on execute; others stay generic.
        if (ProcCalls.ReadAt(file, header, 0) != HeaderSize || !header.StartsWith("\u007fELF\u0002\u0001"u8))
            return ElfMarks.None;
        var table = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        long count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        uint names = BinaryPrimitives.ReadUInt16LittleEndian(header[62..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[58..]) != SectionSize || table < HeaderSize || table > long.MaxValue / 2)
            return ElfMarks.None;
        // Numbers that do not fit into the header are in the first section.
        if (!TrySection(file, table, 0, out var first))
            return ElfMarks.None;
        if (count == 0)
            count = first.Size;
        if (names == 0xffff)
            names = first.Link;
        if (count is <= 0 or > MaximumSections || names >= count || !TrySection(file, table, names, out var nameTable))
            return ElfMarks.None;
        return ReadSections(file, table, (int)count, nameTable);
    }

    private static ElfMarks ReadSections(int file, long table, int count, Section nameTable)
    {
        var size = (int)Math.Min(nameTable.Size, MaximumNames);
        var names = ArrayPool<byte>.Shared.Rent(size);
        var sections = ArrayPool<byte>.Shared.Rent(count * SectionSize);
        try
        {
            var nameLength = Math.Max(0, ProcCalls.ReadAt(file, names.AsSpan(0, size), nameTable.Offset));
            var read = ProcCalls.ReadAt(file, sections.AsSpan(0, count * SectionSize), table) / SectionSize;
            var marks = ElfMarks.None;
            for (var i = 0; i < read && !marks.HasFlag(ElfMarks.Go); i++)
                if (TryParse(sections.AsSpan(i * SectionSize, SectionSize), out var section) && section.Name < nameLength)
                    marks |= Judge(file, names.AsSpan((int)section.Name, nameLength - (int)section.Name), section);
            return marks;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(names);
            ArrayPool<byte>.Shared.Return(sections);
        }
    }

    private static ElfMarks Judge(int file, ReadOnlySpan<byte> name, Section section)
    {
        // Stripped Go programs keep these; a C program has none of them.
        if (Is(name, ".go.buildinfo\0"u8) || Is(name, ".gopclntab\0"u8) || Is(name, ".note.go.buildid\0"u8) || Is(name, ".data.rel.ro.gopclntab\0"u8))
            return ElfMarks.Go;
        // Managed code of a .NET NativeAOT program.
        if (Is(name, "__managedcode\0"u8))
            return ElfMarks.DotnetNative;
        if (section.Type == SHT_NOBITS)
            return ElfMarks.None;
        if (Is(name, ".comment\0"u8))
            return Contains(file, section, "rustc version "u8) ? ElfMarks.Rust : ElfMarks.None;
        // Paths of the standard library in panic messages: also in a program without .comment.
        if (Is(name, ".rodata\0"u8))
            return Contains(file, section, "/rustc/"u8) ? ElfMarks.Rust : ElfMarks.None;
        if (!Is(name, ".dynstr\0"u8))
            return ElfMarks.None;
        var marks = Contains(file, section, "_ZN4node11Environment"u8) ? ElfMarks.Node : ElfMarks.None;
        // GraalVM native images export this to those who embed them.
        return Contains(file, section, "graal_create_isolate"u8) ? marks | ElfMarks.JavaNative : marks;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) => name.StartsWith(wanted);

    private static bool Contains(int file, Section section, ReadOnlySpan<byte> wanted)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            var remaining = Math.Min(section.Size, MaximumScan);
            var offset = section.Offset;
            var kept = 0;
            while (remaining > 0)
            {
                var length = ProcCalls.ReadAt(file, chunk.AsSpan(kept, (int)Math.Min(remaining, ChunkSize - kept)), offset);
                if (length <= 0)
                    return false;
                var text = chunk.AsSpan(0, kept + length);
                if (text.IndexOf(wanted) >= 0)
                    return true;
                (offset, remaining) = (offset + length, remaining - length);
                // A match may lie across two chunks.
                kept = Math.Min(text.Length, wanted.Length - 1);
                text[^kept..].CopyTo(chunk);
            }

            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static bool TrySection(int file, long table, uint index, out Section section)
    {
        Span<byte> bytes = stackalloc byte[SectionSize];
        section = default;
        return ProcCalls.ReadAt(file, bytes, table + index * (long)SectionSize) == SectionSize && TryParse(bytes, out section);
    }

    private static bool TryParse(ReadOnlySpan<byte> bytes, out Section section)
    {
        section = new Section(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]));
        return section.Offset is >= 0 and < long.MaxValue / 2 && section.Size >= 0;
    }
}
