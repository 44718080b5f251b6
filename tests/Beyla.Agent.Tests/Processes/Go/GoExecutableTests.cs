using System.Buffers.Binary;
using Beyla.Agent.Processes.Inspections;
using Beyla.Agent.Processes.Inspections.Go;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Tests.Processes.Go;

public sealed class GoExecutableTests : IDisposable
{
    private const string RoundTrip = "net/http.(*persistConn).roundTrip";

    /// <summary>Bytes of <see cref="GoFileBuilder.LargeFrame"/> before its jump.</summary>
    private const int BeforeJump = 12;

    // One file for all contents: the fuzzing would spend its time on making files.
    private readonly SafeFileHandle file = File.OpenHandle(
        Path.Combine(Path.GetTempPath(), "beyla-go-" + Guid.NewGuid()), FileMode.CreateNew, FileAccess.ReadWrite,
        options: FileOptions.DeleteOnClose);

    private readonly InspectionBudget budget = new();

    [Fact]
    public void An_executable_tells_version_offsets_and_the_place_of_the_probe()
    {
        var builder = GoFileBuilder.Usual();
        var found = Read(builder.Build());
        Assert.Equal("go1.19.8", found.Version);
        Assert.Null(found.Trouble);
        Assert.Equal(builder.Places[RoundTrip] + BeforeJump, found.RoundTrip);
        Assert.Equal((-8, 152u, 0u, 80u),
            (found.Offsets!.Value.Slot, found.Offsets.Value.Goid, found.Offsets.Value.Parent, found.Offsets.Value.Connection));
    }

    /// <summary>The place where headers are written is looked for where that is asked for, in whichever order the functions lie.</summary>
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public void The_place_where_the_body_is_written_is_found(bool asked, bool there, bool behind)
    {
        const string WriteBody = "net/http.(*transferWriter).writeBody";
        var builder = new GoFileBuilder().Add("runtime.main");
        string[] names = there ? [RoundTrip, WriteBody] : [RoundTrip];
        foreach (var name in behind ? names : names.Reverse())
        {
            builder.Add(name);
        }

        var found = Read(builder.Add("z").Build(), asked);
        Assert.Equal(builder.Places[RoundTrip] + BeforeJump, found.RoundTrip);
        Assert.Equal(asked && there ? builder.Places[WriteBody] + BeforeJump : 0, found.WriteBody);
        // err is an interface value of two words, and buf is next (bufio/bufio.go).
        Assert.Equal(16u, found.Offsets!.Value.Buffer);
    }

    [Fact]
    public void The_table_of_functions_of_Go_1_20_and_later_is_read()
    {
        var builder = GoFileBuilder.Usual();
        (builder.Magic, builder.Version) = (0xfffffff1, "go1.22.3");
        var found = Read(builder.Build());
        Assert.Equal(builder.Places[RoundTrip] + BeforeJump, found.RoundTrip);
        Assert.Equal(272u, found.Offsets!.Value.Parent);
        builder.Magic = 0xfffffff2;
        var unknown = Read(builder.Build());
        Assert.Equal(0, unknown.RoundTrip);
        Assert.NotNull(unknown.Offsets);
        Assert.Contains("table of functions", unknown.Trouble, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, GoFileBuilder.TextAddress)]
    [InlineData(GoFileBuilder.TextAddress, GoFileBuilder.TextAddress)]
    [InlineData(0x901000L, 0)]
    public void Where_the_code_begins_may_be_left_to_the_loader(long? module, long found)
    {
        var builder = GoFileBuilder.Usual();
        (builder.TextStart, builder.ModuleText) = (0, module);
        Assert.Equal(found != 0, Read(builder.Build()).RoundTrip != 0);
    }

    [Fact]
    public void A_program_that_does_not_call_over_HTTP_has_no_place_for_a_probe()
    {
        var found = Read(new GoFileBuilder().Add("runtime.main").Add("main.main").Build());
        Assert.Equal(0, found.RoundTrip);
        Assert.Null(found.Trouble);
        Assert.NotNull(found.Offsets);
    }

    /// <summary>More than Go's own 8 bytes: runtime.morestack reads the pointer first, as <c>mov %fs:slot,%rbx</c>.</summary>
    [Theory]
    [InlineData(8, "64488b1c25f8ffffff", -8)]
    [InlineData(0x40, "64488b1c25e0ffffff", -32)]
    [InlineData(0x40, "644c8b342590ffffff", -112)]
    [InlineData(0x40, "48c7c1f8ffffff64488b19", 0)]
    [InlineData(0x40, "64488b1c2520000000", 0)]
    public void Thread_local_storage_of_others_is_told_by_the_code(long size, string code, int slot)
    {
        var builder = GoFileBuilder.Usual().Add("runtime.morestack", Convert.FromHexString(code));
        builder.ThreadLocal = size;
        var found = Read(builder.Build());
        Assert.Equal(slot, found.Offsets?.Slot ?? 0);
        Assert.Equal(slot == 0, found.Trouble is not null);
    }

    [Theory]
    [InlineData(null, "does not say which version")]
    [InlineData("go1.16.5", "is not known")]
    [InlineData("go1.27", "is not known")]
    [InlineData("devel go1.26-0123abcd Thu", "is not known")]
    public void An_unknown_version_is_not_guessed(string? version, string trouble)
    {
        var builder = GoFileBuilder.Usual();
        builder.Version = version;
        var found = Read(builder.Build());
        Assert.Null(found.Offsets);
        Assert.Equal(0, found.RoundTrip);
        Assert.Contains(trouble, found.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_architecture_has_other_registers()
    {
        var builder = GoFileBuilder.Usual();
        builder.Machine = 183;
        Assert.Null(Read(builder.Build()).Offsets);
    }

    [Fact]
    public void Code_that_is_not_as_Go_makes_it_gets_no_probe()
    {
        var found = Read(new GoFileBuilder().Add(RoundTrip, [0x55, 0x48, 0x89, 0xe5]).Build());
        Assert.Equal(0, found.RoundTrip);
        Assert.NotNull(found.Trouble);
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_no_error()
    {
        var builder = GoFileBuilder.Usual();
        var whole = builder.Build();
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Contains(Read(whole.AsSpan(0, length)).RoundTrip, (long[])[0, builder.Places[RoundTrip] + BeforeJump]);
        }
    }

    /// <summary>Whatever the file says, a place for a probe has the code that a probe needs.</summary>
    [Fact]
    public void Damaged_files_are_no_error()
    {
        var builder = GoFileBuilder.Usual();
        (builder.ThreadLocal, builder.ModuleText) = (8, GoFileBuilder.TextAddress);
        var whole = builder.Build();
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(whole.AsSpan(40));
        var functions = whole.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xf0, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
        var random = new Random(1);
        ReadOnlySpan<long> extremes = [0, 1, -1, 63, 64, 65535, int.MaxValue, uint.MaxValue, long.MaxValue,
            long.MinValue, long.MaxValue - 63];
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = whole.ToArray();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                var at = random.Next(4) switch
                {
                    0 => random.Next(16, 64 + 112),
                    1 => table + random.Next(bytes.Length - table - 8),
                    2 => functions + random.Next(Math.Min(300, table - functions)),
                    _ => random.Next(bytes.Length - 8),
                };
                if (random.Next(2) == 0)
                {
                    bytes[at] = (byte)random.Next(256);
                }
                else
                {
                    BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), extremes[random.Next(extremes.Length)]);
                }
            }

            var found = Read(bytes);
            Assert.True(found.RoundTrip == 0 || bytes[found.RoundTrip] is 0x0f or 0x76);
        }
    }

    [Fact]
    public void A_table_that_leads_to_and_fro_is_read_within_the_budget()
    {
        // As many functions as may be, each entry far from the one before: every second one costs another read.
        var builder = GoFileBuilder.Usual();
        var whole = builder.Build();
        var at = whole.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xf0, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
        var bytes = new byte[48 * 1024 * 1024];
        whole.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), 1024 * 1024);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 64), 1024 * 1024);
        for (var i = 0; i < 1024 * 1024; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(
                bytes.AsSpan(at + (1024 * 1024) + (i * 8) + 4), (16 * 1024 * 1024) + (i % 2 * 16 * 1024 * 1024));
        }

        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(40));
        // The section .gopclntab is the third after the empty one.
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(table + (3 * 64) + 32), bytes.Length - at);
        Assert.Equal(0, Read(bytes).RoundTrip);
        Assert.InRange(budget.Left, -128 * 1024, 0);
    }

    public void Dispose() => file.Dispose();

    private GoExecutable Read(ReadOnlySpan<byte> content, bool withWriteBody = false)
    {
        budget.Begin(TimeSpan.FromMinutes(1));
        RandomAccess.Write(file, content, 0);
        RandomAccess.SetLength(file, content.Length);
        return GoExecutable.Read((int)file.DangerousGetHandle(), default, budget, withWriteBody);
    }
}
