using System.Runtime.CompilerServices;

namespace Beyla.Agent.Tracing;

/// <summary>
/// The exchanges of one connection that have no complete response, in the order of their requests. Responses come in that order
/// (<see cref="First"/>), or tell whose they are (<see cref="Find"/>). Beyond the limit of a connection requests are only counted, as lost,
/// and their responses passed over.
/// </summary>
/// <typeparam name="T">The exchange of a protocol.</typeparam>
public struct ExchangeQueue<T>
    where T : Exchange, new()
{
    /// <summary>The exchange whose response comes next; null when there is none.</summary>
    public T? First { get; private set; }

    /// <summary>The exchange whose request came last; null when there is none.</summary>
    public T? Last { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Opens an exchange at the end, if there is room for it; else its response will be passed over in its turn.</summary>
    /// <param name="ledger">Counts it.</param>
    /// <param name="owner">Its conversation.</param>
    /// <param name="start">First byte of the request; CLOCK_MONOTONIC in nanoseconds.</param>
    /// <returns>Null when there is no room.</returns>
    public T? Open(ExchangeLedger<T> ledger, Conversation owner, long start)
    {
        if (Count >= ledger.MaxPipelined)
        {
            ledger.CountUnread();
            Last!.Overflow++;
            return null;
        }

        var exchange = ledger.Create(owner, start);
        Add(exchange);
        return exchange;
    }

    /// <summary>Puts an exchange at the end that is in no queue.</summary>
    public void Add(T exchange)
    {
        if (Last is null)
        {
            First = exchange;
        }
        else
        {
            Last.Next = exchange;
        }

        Last = exchange;
        Count++;
    }

    /// <summary>Takes the first one out and does not give it back: it may go into another queue. Null when there is none.</summary>
    public T? Dequeue()
    {
        if (First is not { } exchange)
        {
            return null;
        }

        First = After(exchange);
        Last = First is null ? null : Last;
        exchange.Next = null;
        Count--;
        return exchange;
    }

    /// <summary>The exchange of that <see cref="Exchange.Id"/> whose request came first, or null.</summary>
    public readonly T? Find(long id)
    {
        var exchange = First;
        while (exchange is not null && exchange.Id != id)
        {
            exchange = After(exchange);
        }

        return exchange;
    }

    /// <summary>
    /// The response of an exchange, which was reported or lost, is over: takes it out and gives it back. The first one stays when the
    /// responses of requests that had no room follow: it stands for the next of them.
    /// </summary>
    /// <returns>Whether it is out.</returns>
    public bool Close(T exchange, ExchangeLedger<T> ledger)
    {
        if (exchange == First && exchange.Overflow > 0)
        {
            exchange.Overflow--;
            return false;
        }

        Take(exchange, ledger);
        return true;
    }

    /// <summary>
    /// Takes an exchange out that was found by its identity, whatever had no room behind it, and gives it back.
    /// </summary>
    public void Take(T exchange, ExchangeLedger<T> ledger)
    {
        Remove(exchange);
        ledger.Return(exchange);
    }

    /// <summary>Counts what is open as lost; it stays, so that responses find their place.</summary>
    public readonly void Lose(ExchangeLedger<T> ledger)
    {
        for (var exchange = First; exchange is not null; exchange = After(exchange))
        {
            ledger.Lose(exchange);
        }
    }

    /// <summary>Gives everything back; what is open is lost.</summary>
    public void Release(ExchangeLedger<T> ledger)
    {
        Lose(ledger);
        while (First is { } exchange)
        {
            Take(exchange, ledger);
        }
    }

    private static T? After(T exchange) => Unsafe.As<T?>(exchange.Next);

    private void Remove(T exchange)
    {
        T? before = null;
        for (var other = First; other != exchange; other = After(other!))
        {
            before = other;
        }

        var after = After(exchange);
        if (before is null)
        {
            First = after;
        }
        else
        {
            before.Next = after;
            // Those that had no room came behind it all the same.
            before.Overflow += exchange.Overflow;
        }

        Last = after is null ? before : Last;
        exchange.Next = null;
        Count--;
    }
}
