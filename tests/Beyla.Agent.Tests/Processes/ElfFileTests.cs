using System.Buffers.Binary;
using Beyla.Agent.Processes.Inspections;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Tests.Processes;

public sealed class ElfFileTests : IDisposable
{
    // One file for all contents: the fuzzing would spend its time on making files.
    private readonly SafeFileHandle file = File.OpenHandle(
        Path.Combine(Path.GetTempPath(), "beyla-elf-" + Guid.NewGuid()), FileMode.CreateNew, FileAccess.ReadWrite,
        options: FileOptions.DeleteOnClose);

    private readonly InspectionBudget budget = new();

    [Theory]
    [InlineData(".go.buildinfo", "", ElfMarks.Go)]
    [InlineData(".gopclntab", "x", ElfMarks.Go)]
    [InlineData(".note.go.buildid", "x", ElfMarks.Go)]
    [InlineData(".gopclntable", "x", ElfMarks.None)]
    [InlineData("__managedcode", "x", ElfMarks.DotnetNative)]
    [InlineData(".comment", "GCC: (Debian) 12\0rustc version 1.80.0\0", ElfMarks.Rust)]
    [InlineData(".comment", "GCC: (Debian) 12\0", ElfMarks.None)]
    [InlineData(".rodata", "at /rustc/0123/library/std/src/io.rs", ElfMarks.Rust)]
    [InlineData(".dynstr", "\0_ZN4node11Environment9RunTimersEv\0", ElfMarks.Node)]
    [InlineData(".dynstr", "\0graal_create_isolate\0", ElfMarks.JavaNative)]
    [InlineData(".text", "/rustc/ graal_create_isolate", ElfMarks.None)]
    public void A_section_tells(string name, string content, object expected) =>
        Assert.Equal((ElfMarks)expected, Read(ElfBuilder.Build((".text", "code"), (name, content), (".bss", ""))));

    [Fact]
    public void A_mark_that_lies_across_the_border_of_two_reads_is_found()
    {
        for (var before = 65536 - 10; before <= 65536 + 2; before++)
        {
            Assert.Equal(ElfMarks.Rust, Read(ElfBuilder.Build((".rodata", new string('x', before) + "/rustc/"))));
        }

        Assert.Equal(ElfMarks.None, Read(ElfBuilder.Build((".rodata", new string('x', ElfFile.MaximumScan) + "/rustc/"))));
    }

    [Fact]
    public void A_section_that_is_named_thousands_of_times_is_searched_once()
    {
        // One hole, as large as may be searched, behind as many headers as there may be.
        var file = ElfBuilder.Build((".text", "x"), (".dynstr", "x"), (".comment", "x"), (".rodata", "x"));
        var bytes = Hostile(file, ElfFile.MaximumSections - 8);
        Assert.Equal(ElfMarks.None, Read(bytes));
        Assert.InRange(InspectionBudget.MaximumBytes - budget.Left, ElfFile.MaximumScan / 2, ElfFile.MaximumScan + 1024 * 1024);
    }

    [Fact]
    public void Sections_that_lie_over_each_other_are_searched_once()
    {
        var whole = ElfBuilder.Build((".dynstr", new string('x', 100_000) + "graal_create_isolate"), (".rodata", "/rustc/"));
        Assert.Equal(ElfMarks.JavaNative | ElfMarks.Rust, Read(whole));
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(whole.AsSpan(40));
        whole.AsSpan(table + 64 + 24, 16).CopyTo(whole.AsSpan(table + 128 + 24));
        Assert.Equal(ElfMarks.JavaNative, Read(whole));
        Assert.InRange(InspectionBudget.MaximumBytes - budget.Left, 100_000, 110_000);
    }

    [Fact]
    public void A_budget_that_is_spent_or_late_ends_the_search()
    {
        var file = ElfBuilder.Build((".rodata", new string('x', 1_000_000) + "/rustc/"));
        RandomAccess.Write(this.file, file, 0);
        RandomAccess.SetLength(this.file, file.Length);
        budget.Begin(TimeSpan.Zero);
        Assert.Equal(ElfMarks.None, ElfFile.Read((int)this.file.DangerousGetHandle(), budget));
        Assert.True(budget.IsLate);
        budget.Begin(TimeSpan.FromMinutes(1));
        Assert.True(budget.TrySpend(InspectionBudget.MaximumBytes - 500_000));
        Assert.Equal(ElfMarks.None, ElfFile.Read((int)this.file.DangerousGetHandle(), budget));
        Assert.False(budget.IsLate);
    }

    [Fact]
    public void Counts_that_do_not_fit_the_header_are_read_from_the_first_section()
    {
        var file = ElfBuilder.Build((".gopclntab", "x"));
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(40));
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(table + 32), 3);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(table + 40), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), 0);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(62), 0xffff);
        Assert.Equal(ElfMarks.Go, Read(file));
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(table + 32), ElfFile.MaximumSections + 1);
        Assert.Equal(ElfMarks.None, Read(file));
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(table + 32), -1);
        Assert.Equal(ElfMarks.None, Read(file));
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_no_error()
    {
        var file = ElfBuilder.Build((".comment", "rustc version 1"), (".dynstr", "x"), (".gopclntab", "x"));
        for (var length = 0; length < file.Length; length++)
        {
            Assert.NotEqual(ElfMarks.DotnetNative, Read(file.AsSpan(0, length)));
        }

        Assert.Equal(ElfMarks.Go, Read(file) & ElfMarks.Go);
    }

    [Fact]
    public void Damaged_files_are_no_error()
    {
        var whole = ElfBuilder.Build(
            (".comment", "rustc version 1"), (".rodata", "/rustc/"), (".dynstr", "graal_create_isolate"), (".text", "x"));
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(whole.AsSpan(40));
        var random = new Random(1);
        ReadOnlySpan<long> extremes = [0, 1, -1, 63, 64, 65535, int.MaxValue, uint.MaxValue, long.MaxValue,
            long.MinValue, long.MaxValue - 63];
        for (var i = 0; i < 10_000; i++)
        {
            var file = whole.ToArray();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                // Half of the changes hit the header or the section table, where the offsets and counts are.
                var at = random.Next(2) == 0 ? random.Next(file.Length - 8)
                    : random.Next(2) == 0 ? random.Next(16, 56) : table + random.Next(file.Length - table - 8);
                if (random.Next(2) == 0)
                {
                    file[at] = (byte)random.Next(256);
                }
                else
                {
                    BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), extremes[random.Next(extremes.Length)]);
                }
            }

            Assert.Equal(ElfMarks.None, Read(file) & ElfMarks.Node);
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>The file with so many more section headers, all named .dynstr over one hole behind them.</summary>
    private static byte[] Hostile(byte[] file, int count)
    {
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(40));
        var sections = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(60));
        var header = file.AsSpan(table + (2 * 64), 64).ToArray();
        var end = table + ((sections + count) * 64);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), end);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), ElfFile.MaximumScan);
        var bytes = new byte[end + ElfFile.MaximumScan];
        file.CopyTo(bytes, 0);
        header.CopyTo(bytes, table + (2 * 64));
        for (var i = 0; i < count; i++)
        {
            header.CopyTo(bytes, table + ((sections + i) * 64));
        }

        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(60), (ushort)(sections + count));
        return bytes;
    }

    private ElfMarks Read(ReadOnlySpan<byte> content)
    {
        budget.Begin(TimeSpan.FromMinutes(1));
        RandomAccess.Write(file, content, 0);
        RandomAccess.SetLength(file, content.Length);
        return ElfFile.Read((int)file.DangerousGetHandle(), budget);
    }
}
