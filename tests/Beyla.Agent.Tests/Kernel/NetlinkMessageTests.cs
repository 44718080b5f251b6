using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Kernel;

/// <summary>
/// Messages byte by byte as include/uapi/linux/netlink.h has them (this machine's byte order), and attributes whose lengths lie.
/// </summary>
public sealed class NetlinkMessageTests
{
    [Fact]
    public void A_request_has_the_layout_of_the_header_file()
    {
        // struct nlmsghdr: length, type, flags (NLM_F_REQUEST is 1, NLM_F_ACK is 4), sequence, port id; then struct nlattr: length with its
        // header, type.
        var message = new NetlinkMessage(0x2c, NetlinkMessage.FlagAck)
            .With(0x04030201u).Attribute(1, "bpf").Attribute(6, [9]).Finish(0x11223344);
        Assert.Equal(
            [
                36, 0, 0, 0, 0x2c, 0, 5, 0, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0,
                1, 2, 3, 4,
                8, 0, 1, 0, (byte)'b', (byte)'p', (byte)'f', 0,
                5, 0, 6, 0, 9, 0, 0, 0, // padded to 4 (NLA_ALIGNTO); the length does not count that
            ],
            message.ToArray());
    }

    /// <summary>NLA_F_NESTED (0x8000) and NLA_F_NET_BYTEORDER (0x4000) are flags in the type, no part of it.</summary>
    [Theory]
    [InlineData(0x80)]
    [InlineData(0x40)]
    [InlineData(0xc0)]
    public void Flags_in_the_type_do_not_hide_an_attribute(byte flags) =>
        Assert.Equal([1, 2, 3, 4], NetlinkMessage.Find([8, 0, 7, flags, 1, 2, 3, 4], 7).ToArray());

    [Fact]
    public void The_first_of_several_counts_and_padding_is_passed_over() =>
        Assert.Equal([7], NetlinkMessage.Find([5, 0, 1, 0, 9, 0, 0, 0, 5, 0, 2, 0, 7, 0, 0, 0, 5, 0, 2, 0, 8, 0, 0, 0], 2).ToArray());

    /// <summary>
    /// A length below that of the header (4) would go on for ever at 0; one past the end would read what is not the message's.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(0xffff)]
    public void A_length_that_lies_ends_the_search(ushort length)
    {
        byte[] attributes = [(byte)length, (byte)(length >> 8), 1, 0, 1, 2, 3, 4];
        Assert.True(NetlinkMessage.Find(attributes, 1).IsEmpty);
        Assert.Equal("", NetlinkMessage.FindText(attributes, 1));
        // Also behind a good one.
        Assert.Equal([5], NetlinkMessage.Find([5, 0, 2, 0, 5, 0, 0, 0, .. attributes], 2).ToArray());
        Assert.True(NetlinkMessage.Find([5, 0, 2, 0, 5, 0, 0, 0, .. attributes], 1).IsEmpty);
    }

    [Fact]
    public void The_last_attribute_may_lack_its_padding() => Assert.Equal([1], NetlinkMessage.Find([5, 0, 3, 0, 1], 3).ToArray());

    [Fact]
    public void An_attribute_without_bytes_and_a_text_without_its_zero_are_read()
    {
        Assert.True(NetlinkMessage.Find([4, 0, 3, 0], 3).IsEmpty);
        Assert.Equal("lo", NetlinkMessage.FindText([6, 0, 3, 0, (byte)'l', (byte)'o'], 3));
        Assert.Equal("", NetlinkMessage.FindText([5, 0, 3, 0, 0], 3));
    }
}
