using System.Text;
using Beyla.Agent.Export.Otlp;

namespace Beyla.Agent.Tests.Export.Otlp;

/// <summary>
/// Short attributes are written in one piece, longer ones field by field: on both sides of each border the bytes are those of
/// opentelemetry/proto/common/v1/common.proto, KeyValue with key 1 and value 2, AnyValue with string 1 and int 3.
/// </summary>
public sealed class AttributeWriterTests
{
    private const string Name = "http.response.status_code";

    [Theory]
    [InlineData(0)]
    [InlineData(0x7f)]
    [InlineData(0x80)]
    [InlineData(200)]
    [InlineData(0x3fff)]
    [InlineData(0x4000)]
    [InlineData(65535)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public void A_number_of_any_size(long value)
    {
        foreach (var field in (int[])[1, 9, 15, 16])
        {
            var writer = new ProtobufWriter(1);
            AttributeWriter.Number(writer, field, AttributeWriter.Encode(Name), value);
            byte[] number = Proto.Len(2, Proto.Int(3, unchecked((ulong)value)));
            Assert.Equal(Proto.Len(field, [.. Proto.Text(1, Name), .. number]), writer.Written.ToArray());
        }
    }

    [Fact]
    public void A_text_of_any_length()
    {
        foreach (var field in (int[])[1, 9, 15, 16])
        {
            for (var length = 1; length <= 200; length++)
            {
                var text = new string('x', length);
                var writer = new ProtobufWriter(1);
                AttributeWriter.Text(writer, field, AttributeWriter.Encode(Name), Encoding.UTF8.GetBytes(text));
                Assert.Equal(
                    Proto.Len(field, [.. Proto.Text(1, Name), .. Proto.Len(2, Proto.Text(1, text))]), writer.Written.ToArray());
            }
        }
    }

    /// <summary>A receiver refuses a whole request for one text that is not UTF-8.</summary>
    [Fact]
    public void What_is_not_UTF_8_is_found_at_each_place()
    {
        for (var length = 1; length <= 80; length++)
        {
            for (var place = 0; place < length; place++)
            {
                var bytes = Enumerable.Repeat((byte)'x', length).ToArray();
                bytes[place] = 0xff;
                var writer = new ProtobufWriter(1);
                AttributeWriter.Text(writer, 9, AttributeWriter.Encode("a"), bytes);
                var text = new string('x', place) + "\ufffd" + new string('x', length - place - 1);
                Assert.Equal(Proto.Len(9, [.. Proto.Text(1, "a"), .. Proto.Len(2, Proto.Text(1, text))]), writer.Written.ToArray());
            }
        }
    }
}
