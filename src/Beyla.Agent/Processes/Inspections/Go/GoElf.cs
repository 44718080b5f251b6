using System.Buffers;
using System.Buffers.Binary;

namespace Beyla.Agent.Processes.Inspections.Go;

/// <summary>Bytes of a file that a program sees at an address.</summary>
/// <param name="Address">Where the program sees the first one, before it is moved (position-independent programs).</param>
/// <param name="Offset">Where in the file it is.</param>
/// <param name="Size">How many.</param>
internal readonly record struct FileRange(long Address, long Offset, long Size)
{
    /// <summary>Whether there is anything.</summary>
    public bool IsEmpty => Size <= 0;

    /// <summary>Whether that address lies in it.</summary>
    public bool Has(long address) => address >= Address && address - Address < Size;
}

/// <summary>
/// The parts of a 64-bit little-endian ELF file (elf(5)) in which a Go program says what it is. The file is hostile: each offset, size and
/// count is checked; what is damaged is not there.
/// </summary>
internal sealed class GoElf
{
    private const int HeaderSize = 64, SectionSize = 64, SegmentSize = 56, MaximumSegments = 64, MaximumNames = 128 * 1024;
    private const uint PT_LOAD = 1, PT_TLS = 7, PF_X = 1, SHT_NOBITS = 8;

    private readonly List<FileRange> executable = [];

    /// <summary>Section .go.buildinfo: which version built the program.</summary>
    internal FileRange BuildInformation { get; private set; }

    /// <summary>Section .gopclntab: which functions there are and where.</summary>
    internal FileRange Functions { get; private set; }

    /// <summary>Section .go.module (since Go 1.26): the struct moduledata.</summary>
    internal FileRange Module { get; private set; }

    /// <summary>Section .text.</summary>
    internal FileRange Text { get; private set; }

    /// <summary>Bytes of thread-local storage of the program itself (PT_TLS); 0 where it has none.</summary>
    internal long ThreadLocal { get; private set; }

    /// <summary>x86-64: what the offsets and code patterns are for.</summary>
    internal bool IsX64 { get; private set; }

    /// <summary>Reads an open file; null when it is no such ELF file or is damaged.</summary>
    /// <param name="file">Its descriptor.</param>
    /// <param name="budget">What may still be read.</param>
    internal static GoElf? Read(int file, InspectionBudget budget)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (ProcCalls.ReadAt(file, header, 0) != HeaderSize || !header.StartsWith("\u007fELF\u0002\u0001"u8))
        {
            return null;
        }

        const ushort EM_X86_64 = 62;
        var elf = new GoElf { IsX64 = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]) == EM_X86_64 };
        return elf.ReadSegments(file, header, budget) && elf.ReadSections(file, header, budget) ? elf : null;
    }

    /// <summary>Where in the file the code at an address is, or -1: no code is there.</summary>
    internal long OffsetOfCode(long address)
    {
        foreach (var range in executable)
        {
            if (range.Has(address))
            {
                return range.Offset + (address - range.Address);
            }
        }

        return -1;
    }

    private bool ReadSegments(int file, ReadOnlySpan<byte> header, InspectionBudget budget)
    {
        var (table, count) = (BinaryPrimitives.ReadInt64LittleEndian(header[32..]), BinaryPrimitives.ReadUInt16LittleEndian(header[56..]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[54..]) != SegmentSize || !IsPlausible(table) || count > MaximumSegments)
        {
            return false;
        }

        Span<byte> segments = stackalloc byte[MaximumSegments * SegmentSize];
        segments = segments[..(count * SegmentSize)];
        if (!budget.TrySpend(segments.Length) || ProcCalls.ReadAt(file, segments, table) != segments.Length)
        {
            return false;
        }

        for (; segments.Length > 0; segments = segments[SegmentSize..])
        {
            var type = BinaryPrimitives.ReadUInt32LittleEndian(segments);
            var range = new FileRange(Number(segments[16..]), Number(segments[8..]), Number(segments[32..]));
            if (type == PT_TLS)
            {
                ThreadLocal = Number(segments[40..]);
            }
            else if (type == PT_LOAD && (BinaryPrimitives.ReadUInt32LittleEndian(segments[4..]) & PF_X) != 0 && IsPlausible(range))
            {
                executable.Add(range);
            }
        }

        return true;
    }

    private bool ReadSections(int file, ReadOnlySpan<byte> header, InspectionBudget budget)
    {
        var table = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]), names = BinaryPrimitives.ReadUInt16LittleEndian(header[62..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[58..]) != SectionSize || !IsPlausible(table) || names >= count
            || count > ElfFile.MaximumSections)
        {
            return false;
        }

        var sections = ArrayPool<byte>.Shared.Rent(count * SectionSize);
        var text = ArrayPool<byte>.Shared.Rent(MaximumNames);
        try
        {
            var all = sections.AsSpan(0, count * SectionSize);
            if (!budget.TrySpend(all.Length) || ProcCalls.ReadAt(file, all, table) != all.Length)
            {
                return false;
            }

            var nameTable = RangeOf(all[(names * SectionSize)..]);
            var length = (int)Math.Min(nameTable.Size, MaximumNames);
            if (!IsPlausible(nameTable) || !budget.TrySpend(length))
            {
                return false;
            }

            length = Math.Max(0, ProcCalls.ReadAt(file, text.AsSpan(0, length), nameTable.Offset));
            for (; all.Length > 0; all = all[SectionSize..])
            {
                var name = BinaryPrimitives.ReadUInt32LittleEndian(all);
                var range = RangeOf(all);
                if (name < length && IsPlausible(range) && BinaryPrimitives.ReadUInt32LittleEndian(all[4..]) != SHT_NOBITS)
                {
                    Take(text.AsSpan((int)name, length - (int)name), range);
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(sections);
            ArrayPool<byte>.Shared.Return(text);
        }
    }

    /// <summary>The first section of each name counts.</summary>
    private void Take(ReadOnlySpan<byte> name, FileRange range)
    {
        if (name.StartsWith(".go.buildinfo\0"u8) && BuildInformation.IsEmpty)
        {
            BuildInformation = range;
        }
        else if ((name.StartsWith(".gopclntab\0"u8) || name.StartsWith(".data.rel.ro.gopclntab\0"u8)) && Functions.IsEmpty)
        {
            Functions = range;
        }
        else if (name.StartsWith(".go.module\0"u8) && Module.IsEmpty)
        {
            Module = range;
        }
        else if (name.StartsWith(".text\0"u8) && Text.IsEmpty)
        {
            Text = range;
        }
    }

    private static FileRange RangeOf(ReadOnlySpan<byte> section) =>
        new(Number(section[16..]), Number(section[24..]), Number(section[32..]));

    private static long Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);

    private static bool IsPlausible(long number) => number is >= 0 and < long.MaxValue / 4;

    private static bool IsPlausible(FileRange range) => IsPlausible(range.Address) && IsPlausible(range.Offset) && IsPlausible(range.Size);
}
