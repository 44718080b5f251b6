using Beyla.Agent.Linux;
using Beyla.Agent.Tests.Linux;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>How a connection ends, and who is told.</summary>
[Collection(nameof(MessageSocketTests))]
public sealed class MessageSocketEndTests : IDisposable
{
    private readonly MessageSocket own, other;
    private readonly byte[] target = new byte[4096];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];

    public MessageSocketEndTests() => (own, other) = MessageSocket.CreatePair();

    [Fact]
    public void A_closed_end_is_the_end_on_both_ways()
    {
        own.Send([1], [], []);
        own.Dispose();
        Assert.Equal(1, other.Receive(target, descriptors, out _));
        Assert.Equal(0, other.Receive(target, descriptors, out var count));
        Assert.Equal(0, count);
        Assert.Equal(-Errno.EPIPE, other.Send([1], [], []));
    }

    /// <summary>A descriptor on its way belongs to nobody: it goes with the socket.</summary>
    [Fact]
    public void What_nobody_took_is_closed()
    {
        var pipe = new Pipe();
        own.Send([1], [], [pipe.Write]);
        Descriptor.Close(pipe.Write);
        other.Dispose();
        own.Dispose();
        var poll = new PollDescriptor { Descriptor = pipe.Read, Events = Poll.In };
        Assert.Equal(1, Poll.Wait(ref poll, 5000)); // POLLHUP: no writer is left
        Descriptor.Close(pipe.Read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_shut_down_connection_wakes_who_waits(bool itself)
    {
        var length = -1;
        var waiting = new Thread(() => length = other.Receive(target, descriptors, out _));
        waiting.Start();
        Thread.Sleep(20);
        (itself ? other : own).Shutdown();
        Assert.True(waiting.Join(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, length);
        Assert.Equal(-Errno.EPIPE, own.Send([1], [], []));
    }

    /// <summary>Also who waits for room, as the other one reads nothing.</summary>
    [Fact]
    public void A_shut_down_connection_wakes_who_sends()
    {
        var sent = 0;
        var sending = new Thread(() =>
        {
            while (sent == 0)
            {
                sent = own.Send(new byte[1000], [], []);
            }
        });
        sending.Start();
        Thread.Sleep(50);
        own.Shutdown();
        Assert.True(sending.Join(TimeSpan.FromSeconds(10)));
        Assert.Equal(-Errno.EPIPE, sent);
    }

    public void Dispose()
    {
        own.Dispose();
        other.Dispose();
    }
}
