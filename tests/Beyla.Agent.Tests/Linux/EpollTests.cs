using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

/// <summary>Waiting, with real descriptors (epoll(7), eventfd(2)).</summary>
public sealed class EpollTests
{
    [Fact]
    public void It_tells_how_many_descriptors_became_readable_and_each_only_once()
    {
        using Epoll epoll = new();
        using Pipe first = new();
        using Pipe second = new();
        epoll.Watch(first.Read);
        epoll.Watch(second.Read);
        Assert.Equal(0, epoll.Wait(0));
        first.Send();
        second.Send();
        Assert.Equal(2, epoll.Wait(-1));
        // Edge triggered: nobody has read, and nothing new came.
        Assert.Equal(0, epoll.Wait(0));
        first.Send();
        Assert.Equal(1, epoll.Wait(-1));
    }

    [Fact]
    public void What_was_readable_before_is_told_of() // epoll_ctl(2): EPOLL_CTL_ADD looks at the state at once
    {
        using Epoll epoll = new();
        using Pipe pipe = new();
        pipe.Send();
        epoll.Watch(pipe.Read);
        Assert.Equal(1, epoll.Wait(-1));
    }

    [Fact]
    public void A_signal_wakes_another_thread_and_stays_set()
    {
        using Epoll epoll = new();
        using Signal signal = new();
        epoll.Watch(signal.FileDescriptor);
        Assert.False(signal.IsSet);
        Thread setter = new(signal.Set);
        setter.Start();
        Assert.Equal(1, epoll.Wait(-1));
        setter.Join();
        Assert.True(signal.IsSet);
    }

    [Theory]
    [InlineData(-1, "EBADF")]
    public void A_descriptor_that_cannot_be_watched_is_an_error_that_says_why(int descriptor, string errno)
    {
        using Epoll epoll = new();
        var failure = Assert.Throws<KernelException>(() => epoll.Watch(descriptor));
        Assert.Contains(errno, failure.Message, StringComparison.Ordinal);
    }
}
