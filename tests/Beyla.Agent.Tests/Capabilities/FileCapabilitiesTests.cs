using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class FileCapabilitiesTests
{
    // Written by setcap(8): setcap cap_net_raw,cap_bpf+ep FILE; getfattr -n security.capability -e hex.
    private const string NetRawAndBpfEffective = "0100000200200000000000008000000000000000";

    [Fact]
    public void What_setcap_writes_is_read()
    {
        var read = FileCapabilities.Decode(Convert.FromHexString(NetRawAndBpfEffective));
        Assert.NotNull(read);
        Assert.Equal("CAP_NET_RAW, CAP_BPF", read.Permitted.ToString());
        Assert.True(read.Effective);
        Assert.Equal("cap_net_raw,cap_bpf=ep", read.ToString());
        Assert.Equal(NetRawAndBpfEffective, Convert.ToHexString(read.Encode()));
    }

    [Theory]
    [InlineData(0u, false)]
    [InlineData(0u, true)]
    [InlineData(100000u, false)]
    public void Every_form_survives_the_round_trip(uint root, bool effective)
    {
        var written = new FileCapabilities(new(0x1_0203_0405_06ul), new(0x80_0000_0002ul), effective, root);
        Assert.Equal(written, FileCapabilities.Decode(written.Encode()));
    }

    [Fact]
    public void Anything_else_is_refused_at_every_length()
    {
        var good = new FileCapabilities(new(5), new(1), true, 7).Encode();
        for (var length = 0; length < good.Length; length++)
        {
            Assert.Null(FileCapabilities.Decode(good.AsSpan(0, length)));
        }

        good[3] = 9;
        Assert.Null(FileCapabilities.Decode(good));
    }
}
