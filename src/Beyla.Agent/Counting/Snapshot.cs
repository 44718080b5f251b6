namespace Beyla.Agent.Counting;

/// <summary>
/// Lets any thread read counters that one thread writes, at a moment when their sums agree: the writer makes a version odd while it
/// works, a reader tries again when the version was odd or changed. Counters must be written with <see cref="Add"/>: release stores stay
/// in order among themselves.
/// </summary>
internal sealed class Snapshot
{
    // About five seconds: only a writer that was stopped in the middle of an event makes a reader wait so long.
    private const int Attempts = 5000;
    private long version;
    private int writer;

    /// <summary>Adds to a counter. Only the thread that writes the counters may call it.</summary>
    public static void Add(ref long counter, long count = 1) => Volatile.Write(ref counter, counter + count);

    /// <summary>Marks that the calling thread begins to write; readers wait until <see cref="Leave"/>.</summary>
    public void Enter()
    {
        writer = Environment.CurrentManagedThreadId;
        Volatile.Write(ref version, version + 1);
    }

    /// <summary>Marks that the counters agree again.</summary>
    public void Leave() => Volatile.Write(ref version, version + 1);

    /// <summary>Reads at a quiet moment. A reader on the writing thread itself, in the middle of an event, gets what there is.</summary>
    public T Read<T>(Func<T> read)
    {
        var spin = default(SpinWait);
        for (var attempt = 0; ; attempt++)
        {
            var before = Volatile.Read(ref version);
            var result = read();
            Interlocked.MemoryBarrier();
            if (((before & 1) == 0 && Volatile.Read(ref version) == before)
                || attempt >= Attempts
                || writer == Environment.CurrentManagedThreadId)
            {
                return result;
            }

            spin.SpinOnce();
        }
    }
}
