using System.Globalization;
using System.Text;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Tests.Metrics;

/// <summary>Numbers among the values of attributes are written in decimal digits.</summary>
public sealed class SeriesKeyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(404)]
    [InlineData(999)]
    [InlineData(1000)]
    [InlineData(8080)]
    [InlineData(9999)]
    [InlineData(10_000)]
    [InlineData(65_535)]
    [InlineData(99_999)]
    [InlineData(100_000)]
    [InlineData(long.MaxValue)]
    public void A_number_is_its_digits(long value)
    {
        var digits = value.ToString(CultureInfo.InvariantCulture);
        var key = new SeriesKey(new byte[SeriesKey.Room]);
        key.Add("before"u8);
        key.Add(value);
        key.Add("behind"u8);
        Assert.Equal($"\u0006\0before{(char)digits.Length}\0{digits}\u0006\0behind", Encoding.ASCII.GetString(key.Written));
    }

    [Fact]
    public void A_negative_number_is_none()
    {
        var key = new SeriesKey(new byte[SeriesKey.Room]);
        key.Add(-1);
        key.Add(-200);
        Assert.Equal(new byte[4], key.Written.ToArray());
    }
}
