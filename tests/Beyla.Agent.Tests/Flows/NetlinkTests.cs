using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Flows;

/// <summary>Attributes of netlink messages, good and cut.</summary>
public sealed class NetlinkTests
{
    [Fact]
    public void Attributes_are_found_and_nested_ones_too()
    {
        NetlinkMessage message = new(16, 0);
        int outer = message.Attribute(3, "veth0").Begin(7);
        message.Attribute(5, 42u);
        message.End(outer);
        ReadOnlySpan<byte> attributes = message.Finish(1)[NetlinkMessage.HeaderSize..];

        Assert.Equal("veth0", NetlinkMessage.FindText(attributes, 3));
        Assert.Equal([42, 0, 0, 0], NetlinkMessage.Find(NetlinkMessage.Find(attributes, 7), 5).ToArray());
        Assert.True(NetlinkMessage.Find(attributes, 9).IsEmpty);
    }

    [Fact]
    public void Damaged_attributes_end_the_search()
    {
        byte[] whole = [.. new NetlinkMessage(16, 0).Attribute(3, "veth0").Attribute(4, 1u).Finish(1)[NetlinkMessage.HeaderSize..]];
        Random random = new(7);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] damaged = whole[..random.Next(whole.Length + 1)];
            if (damaged.Length > 0)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Assert.True(NetlinkMessage.Find(damaged, 4).Length <= whole.Length);
            Assert.True(NetlinkMessage.FindText(damaged, 3).Length <= whole.Length);
        }
    }
}
