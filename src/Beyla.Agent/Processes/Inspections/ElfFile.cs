using System.Buffers;
using System.Buffers.Binary;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>What the file of an executable tells of the language it was written in.</summary>
[Flags]
internal enum ElfMarks : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Go.</summary>
    Go = 1,

    /// <summary>.NET, compiled ahead of time.</summary>
    DotnetNative = 2,

    /// <summary>Java, compiled ahead of time by GraalVM.</summary>
    JavaNative = 4,

    /// <summary>Node.js is part of it.</summary>
    Node = 8,

    /// <summary>Rust.</summary>
    Rust = 16,
}

/// <summary>
/// Looks for <see cref="ElfMarks"/> in the sections of a 64-bit little-endian ELF file (elf(5)). The file is hostile: each offset, size
/// and count is checked, each section name counts once, ranges that overlap are refused, and of one file not more than
/// <see cref="MaximumScan"/> bytes are searched, however its sections are laid out.
/// </summary>
internal static class ElfFile
{
    /// <summary>A file with more sections is looked at as if it had none.</summary>
    internal const int MaximumSections = 4096;

    /// <summary>Bytes of one file that are searched, all sections together.</summary>
    internal const int MaximumScan = 32 * 1024 * 1024;

    private const int HeaderSize = 64, SectionSize = 64, MaximumNames = 128 * 1024, ChunkSize = 64 * 1024;
    private const uint SHT_NOBITS = 8;

    private readonly record struct Section(uint Name, uint Type, long Offset, long Size, uint Link)
    {
        public bool Overlaps(Section other) => Offset < other.Offset + other.Size && other.Offset < Offset + Size;
    }

    /// <summary>The sections that are searched, the first of each name.</summary>
    private struct Searched
    {
        public Section? Comment, ReadOnlyData, DynamicNames;
    }

    /// <summary>Reads the marks of an open file; none when it is no such ELF file or is damaged.</summary>
    /// <param name="file">Its descriptor.</param>
    /// <param name="budget">What may still be read of the process that runs it.</param>
    internal static ElfMarks Read(int file, InspectionBudget budget)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        // ELFCLASS64, ELFDATA2LSB: what the hosts that the agent runs on execute; others stay generic.
        if (ProcCalls.ReadAt(file, header, 0) != HeaderSize || !header.StartsWith("\u007fELF\u0002\u0001"u8))
        {
            return ElfMarks.None;
        }

        var table = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        long count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        uint names = BinaryPrimitives.ReadUInt16LittleEndian(header[62..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[58..]) != SectionSize || table < HeaderSize || table > long.MaxValue / 2)
        {
            return ElfMarks.None;
        }
        // Numbers that do not fit into the header are in the first section.
        if (!TrySection(file, table, 0, out var first))
        {
            return ElfMarks.None;
        }

        if (count == 0)
        {
            count = first.Size;
        }

        if (names == 0xffff)
        {
            names = first.Link;
        }

        if (count is <= 0 or > MaximumSections || names >= count || !TrySection(file, table, names, out var nameTable))
        {
            return ElfMarks.None;
        }

        return ReadSections(file, table, (int)count, nameTable, budget);
    }

    private static ElfMarks ReadSections(int file, long table, int count, Section nameTable, InspectionBudget budget)
    {
        var size = (int)Math.Min(nameTable.Size, MaximumNames);
        var names = ArrayPool<byte>.Shared.Rent(size);
        var sections = ArrayPool<byte>.Shared.Rent(count * SectionSize);
        try
        {
            if (!budget.TrySpend(size + (count * SectionSize)))
            {
                return ElfMarks.None;
            }

            var nameLength = Math.Max(0, ProcCalls.ReadAt(file, names.AsSpan(0, size), nameTable.Offset));
            var read = ProcCalls.ReadAt(file, sections.AsSpan(0, count * SectionSize), table) / SectionSize;
            var (marks, searched) = (ElfMarks.None, new Searched());
            for (var i = 0; i < read && !marks.HasFlag(ElfMarks.Go); i++)
            {
                if (TryParse(sections.AsSpan(i * SectionSize, SectionSize), out var section) && section.Name < nameLength)
                {
                    marks |= Judge(names.AsSpan((int)section.Name, nameLength - (int)section.Name), section, ref searched);
                }
            }

            return marks == ElfMarks.None ? Search(file, searched, budget) : marks;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(names);
            ArrayPool<byte>.Shared.Return(sections);
        }
    }

    /// <summary>What the name of a section tells by itself; one that has to be searched is kept.</summary>
    private static ElfMarks Judge(ReadOnlySpan<byte> name, Section section, ref Searched searched)
    {
        // Stripped Go programs keep these; a C program has none of them.
        if (Is(name, ".go.buildinfo\0"u8) || Is(name, ".gopclntab\0"u8)
            || Is(name, ".note.go.buildid\0"u8) || Is(name, ".data.rel.ro.gopclntab\0"u8))
        {
            return ElfMarks.Go;
        }
        // Managed code of a .NET NativeAOT program.
        if (Is(name, "__managedcode\0"u8))
        {
            return ElfMarks.DotnetNative;
        }

        if (section.Type == SHT_NOBITS)
        {
            return ElfMarks.None;
        }

        if (Is(name, ".comment\0"u8))
        {
            searched.Comment ??= section;
        }
        else if (Is(name, ".rodata\0"u8))
        {
            searched.ReadOnlyData ??= section;
        }
        else if (Is(name, ".dynstr\0"u8))
        {
            searched.DynamicNames ??= section;
        }

        return ElfMarks.None;
    }

    private static ElfMarks Search(int file, Searched searched, InspectionBudget budget)
    {
        var (marks, left) = (ElfMarks.None, (long)MaximumScan);
        if (searched.Comment is { } comment)
        {
            marks |= Scan(file, comment, budget, ref left, "rustc version "u8, ElfMarks.Rust);
        }
        // GraalVM native images export graal_create_isolate to those who embed them.
        if (searched.DynamicNames is { } names && searched.Comment?.Overlaps(names) != true)
        {
            marks |= Scan(
                file, names, budget, ref left, "_ZN4node11Environment"u8, ElfMarks.Node, "graal_create_isolate"u8, ElfMarks.JavaNative);
        }
        // Paths of the standard library in panic messages: also in a program without .comment.
        if (!marks.HasFlag(ElfMarks.Rust) && searched.ReadOnlyData is { } data
            && searched.Comment?.Overlaps(data) != true && searched.DynamicNames?.Overlaps(data) != true)
        {
            marks |= Scan(file, data, budget, ref left, "/rustc/"u8, ElfMarks.Rust);
        }

        return marks;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) => name.StartsWith(wanted);


    /// <summary>Reads a section once, for one text or two. Ends at the limits with what was found until then.</summary>
    private static ElfMarks Scan(
        int file, Section section, InspectionBudget budget, ref long left, ReadOnlySpan<byte> wanted, ElfMarks mark,
        ReadOnlySpan<byte> other = default, ElfMarks otherMark = 0)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            var (found, all, offset, kept) = (ElfMarks.None, mark | otherMark, section.Offset, 0);
            for (var remaining = Math.Min(section.Size, left); remaining > 0 && found != all;)
            {
                var length = ProcCalls.ReadAt(file, chunk.AsSpan(kept, (int)Math.Min(remaining, ChunkSize - kept)), offset);
                if (length <= 0 || !budget.TrySpend(length))
                {
                    break;
                }

                var text = chunk.AsSpan(0, kept + length);
                found |= text.IndexOf(wanted) >= 0 ? mark : 0;
                found |= !other.IsEmpty && text.IndexOf(other) >= 0 ? otherMark : 0;
                (offset, remaining, left) = (offset + length, remaining - length, left - length);
                // A match may lie across two chunks.
                kept = Math.Min(text.Length, Math.Max(wanted.Length, other.Length) - 1);
                text[^kept..].CopyTo(chunk);
            }

            return found;
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
        return section.Offset is >= 0 and < long.MaxValue / 2 && section.Size is >= 0 and < long.MaxValue / 2;
    }
}
