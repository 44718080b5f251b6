using Beyla.Agent.Export.Otlp;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>The wire format of https://protobuf.dev/programming-guides/encoding, with the examples of that page.</summary>
public sealed class ProtobufTests
{
    [Fact]
    public void The_examples_of_the_page_come_out()
    {
        // message Test1 { int32 a = 1; } with a = 150; Test2 { string b = 2; }; Test3 { Test1 c = 3; }.
        Assert.Equal("089601", Written(static writer => writer.Number(1, 150)));
        Assert.Equal("120774657374696E67", Written(static writer => writer.Text(2, "testing")));
        Assert.Equal("1A03089601", Written(static writer =>
        {
            var begun = writer.Begin(3);
            writer.Number(1, 150);
            writer.End(begun);
        }));
        // int32 -2 takes ten bytes, as 64 bits in two's complement.
        Assert.Equal("08FEFFFFFFFFFFFFFFFF01", Written(static writer => writer.Number(1, unchecked((ulong)-2L))));
    }

    [Fact]
    public void Fixed_numbers_are_little_endian_and_fields_above_15_take_two_bytes()
    {
        Assert.Equal("39" + "0807060504030201", Written(static writer => writer.Fixed(7, 0x0102030405060708ul)));
        Assert.Equal("8501" + "01030000", Written(static writer => writer.Fixed(16, 0x301u)));
        Assert.Equal("21" + "000000000000F03F", Written(static writer => writer.Double(4, 1.0)));
        Assert.Equal("8201" + "01" + "41", Written(static writer => writer.Text(16, "A"u8)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16382)]
    [InlineData(16383)]
    [InlineData(16384)]
    [InlineData(2097151)]
    [InlineData(2097152)]
    public void A_message_of_unknown_length_gets_the_shortest_length(int length)
    {
        var content = new byte[length];
        new Random(1).NextBytes(content);
        var writer = new ProtobufWriter(1);
        writer.Number(1, 7);
        var outer = writer.Begin(2);
        var inner = writer.Begin(3);
        writer.Raw(content);
        writer.End(inner);
        writer.End(outer);
        writer.Number(4, 8);
        byte[] expected = [.. Proto.Int(1, 7), .. Proto.Len(2, Proto.Len(3, content)), .. Proto.Int(4, 8)];
        Assert.Equal(expected, writer.Written.ToArray());
        Assert.Equal(Proto.Varint((ulong)length).Length, ProtobufWriter.LengthOf((uint)length));
        // So it is whatever length was guessed.
        for (var guess = 1; guess <= 4; guess++)
        {
            writer = new ProtobufWriter(1);
            outer = writer.Begin(3, guess);
            writer.Raw(content);
            writer.End(outer, guess);
            Assert.Equal(Proto.Len(3, content), writer.Written.ToArray());
        }

        // A length that is known beforehand is the same.
        writer.Clear();
        writer.Blob(3, content);
        Assert.Equal(Proto.Len(3, content), writer.Written.ToArray());
    }

    [Fact]
    public void What_is_not_UTF_8_becomes_the_replacement_character()
    {
        Assert.Equal(
            Convert.ToHexString(Proto.Text(1, "a\ufffdb\ufffd")), Written(static writer => writer.Text(1, [0x61, 0xff, 0x62, 0xc3])));
        Assert.Equal(Convert.ToHexString(Proto.Text(1, "é€😀")), Written(static writer => writer.Text(1, "é€😀"u8)));
    }

    [Fact]
    public void Memory_grows_and_is_used_again()
    {
        var writer = new ProtobufWriter(1);
        writer.Raw(new byte[1_000_000]);
        writer.Clear();
        Assert.Equal(0, writer.Length);
        writer.Number(1, 1);
        Assert.Equal("0801", Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void Fields_are_read_as_they_are()
    {
        byte[] message =
            [.. Proto.Int(1, ulong.MaxValue), .. Proto.Fixed64(2, 5), .. Proto.Text(3, "x"), .. Proto.Fixed32(2000, 9), .. Proto.Len(4)];
        var reader = new ProtobufReader(message);
        Assert.True(reader.Read());
        Assert.Equal((1, 0, ulong.MaxValue, false), (reader.Field, reader.Type, reader.Number, reader.IsBytes));
        Assert.True(reader.Read());
        Assert.Equal((2, 1, 5ul), (reader.Field, reader.Type, reader.Number));
        Assert.True(reader.Read());
        Assert.Equal((3, 2, true, "x"), (reader.Field, reader.Type, reader.IsBytes, System.Text.Encoding.UTF8.GetString(reader.Bytes)));
        Assert.True(reader.Read());
        Assert.Equal((2000, 5, 9ul), (reader.Field, reader.Type, reader.Number));
        Assert.True(reader.Read());
        Assert.Equal((4, 0), (reader.Field, reader.Bytes.Length));
        Assert.False(reader.Read());
        Assert.True(reader.IsWhole);
    }

    [Fact]
    public void A_cut_message_ends_and_says_so()
    {
        byte[] message = [.. Proto.Int(1, 300), .. Proto.Fixed64(2, 5), .. Proto.Text(3, "abc"), .. Proto.Fixed32(4, 9)];
        int[] ends = [0, 3, 12, 17, 22];
        for (var length = 0; length <= message.Length; length++)
        {
            var reader = new ProtobufReader(message.AsSpan(0, length));
            var read = 0;
            while (reader.Read())
            {
                read++;
            }

            Assert.Equal(ends.Count(end => end > 0 && end <= length), read);
            Assert.Equal(ends.Contains(length), reader.IsWhole);
            Assert.False(reader.Read());
        }
    }

    [Theory]
    [InlineData("0B")] // group, which nobody sends any more
    [InlineData("0C")]
    [InlineData("0E")] // no such wire type
    [InlineData("80808080808080808080")] // a varint has at most ten bytes
    [InlineData("0A808080808080808080")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01")] // a length beyond any
    public void What_is_no_message_is_none(string digits)
    {
        var reader = new ProtobufReader(Convert.FromHexString(digits));
        Assert.False(reader.Read());
        Assert.False(reader.IsWhole);
    }

    [Fact]
    public void Any_bytes_are_read_without_an_exception_and_to_an_end()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            var reader = new ProtobufReader(bytes);
            var fields = 0;
            while (reader.Read())
            {
                Assert.True(++fields <= bytes.Length);
            }
        }
    }

    private static string Written(Action<ProtobufWriter> write)
    {
        var writer = new ProtobufWriter(1);
        write(writer);
        return Convert.ToHexString(writer.Written);
    }
}
