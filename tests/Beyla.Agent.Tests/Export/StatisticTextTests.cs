using System.Net;
using System.Text;
using Beyla.Agent.Export;
using Beyla.Agent.Linux;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Tests.Export;

/// <summary>
/// The line of a record of TCP statistics, which docs/statistics.md shows. Numbers of errors are those of asm-generic/errno.h.
/// </summary>
public sealed class StatisticTextTests
{
    private const string Ends = "local.address=10.0.0.1 local.port=40000 remote.address=2001:db8::2 remote.port=443";

    private static readonly TcpStatistic Sample = new()
    {
        Local = Address.From(IPAddress.Parse("10.0.0.1")), LocalPort = 40000,
        Remote = Address.From(IPAddress.Parse("2001:db8::2")), RemotePort = 443,
        Sent = 1500, Received = 3_000_000_000_000, Retransmits = 2, RoundTrip = 51_200, Role = TcpRole.Client,
    };

    [Theory]
    [InlineData(TcpStatisticKind.Open, "open")]
    [InlineData(TcpStatisticKind.Closed, "closed")]
    public void What_was_measured_is_in_the_line(TcpStatisticKind kind, string name) => Assert.Equal(
        $"tcp_statistics: kind={name} role=client {Ends} sent=1500 received=3000000000000 retransmits=2 rtt=51200\n",
        Text(Sample with { Kind = kind }));

    [Fact]
    public void A_connection_that_was_made_has_its_ends_alone() => Assert.Equal(
        $"tcp_statistics: kind=established role=server {Ends}\n",
        Text(Sample with { Kind = TcpStatisticKind.Established, Role = TcpRole.Server }));

    [Theory]
    [InlineData(0, "canceled")]
    [InlineData(101, "ENETUNREACH")]
    [InlineData(104, "ECONNRESET")]
    [InlineData(110, "ETIMEDOUT")]
    [InlineData(111, "ECONNREFUSED")]
    [InlineData(113, "EHOSTUNREACH")]
    [InlineData(65535, "65535")]
    public void A_failure_says_why(int error, string name) => Assert.Equal(
        $"tcp_statistics: kind=failed role=client {Ends} error={name} retransmits=2\n",
        Text(Sample with { Kind = TcpStatisticKind.Failed, Error = (ushort)error }));

    [Fact]
    public void Who_asked_may_be_unknown_and_the_longest_line_has_room()
    {
        var longest = Address.From(IPAddress.Parse("1111:2222:3333:4444:5555:6666:7777:8888"));
        var line = Text(new TcpStatistic
        {
            Kind = TcpStatisticKind.Closed, Local = longest, Remote = longest, LocalPort = 65535, RemotePort = 65535,
            Sent = long.MaxValue, Received = long.MaxValue, Retransmits = uint.MaxValue, RoundTrip = uint.MaxValue,
        });
        Assert.Contains(" role=unknown ", line, StringComparison.Ordinal);
        Assert.EndsWith(" retransmits=4294967295 rtt=4294967295\n", line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_shows_what_is_written() => Assert.Contains(
        "\n" + Text(Sample with { Kind = TcpStatisticKind.Closed }),
        File.ReadAllText(Path.Combine(Documents.Page.Directory, "statistics.md")), StringComparison.Ordinal);

    private static string Text(in TcpStatistic statistic)
    {
        LineWriter line = new(new byte[StatisticText.MaximumLine]);
        StatisticText.Write(in statistic, ref line);
        return Encoding.UTF8.GetString(line.Written);
    }
}
