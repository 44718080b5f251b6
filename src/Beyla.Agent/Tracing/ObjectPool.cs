namespace Beyla.Agent.Tracing;

/// <summary>
/// Objects of one kind for the tracing thread, used again, and counted in the memory budget while they are in use. A few are kept for the
/// next use; those that were not needed for a while are let go.
/// </summary>
/// <typeparam name="T">The kind.</typeparam>
public sealed class ObjectPool<T>
    where T : class
{
    private const int MaxSpare = 4096;

    private Spares<T> free;
    private readonly BufferPool budget;
    private readonly Func<T> make;
    private readonly int size;
    private int unused;

    /// <param name="budget">Counts the objects.</param>
    /// <param name="size">Estimated bytes of one, with all that it refers to and that is not counted elsewhere.</param>
    /// <param name="make">Makes one.</param>
    public ObjectPool(BufferPool budget, int size, Func<T> make)
    {
        this.budget = budget;
        this.size = size;
        this.make = make;
        budget.Trimming += Trim;
    }

    /// <summary>Objects that wait for their next use.</summary>
    public int Spare => free.Count;

    /// <summary>An object; it may have been used before.</summary>
    public T Rent()
    {
        budget.Charge(size);
        if (free.TryPop(out var used))
        {
            unused = Math.Min(unused, free.Count);
            return used!;
        }

        return make();
    }

    /// <summary>Takes an object back, which holds nothing any more.</summary>
    public void Return(T used)
    {
        budget.Refund(size);
        if (free.Count < MaxSpare)
        {
            free.Push(used);
        }
    }

    private void Trim()
    {
        free.Drop((unused + 1) / 2);
        unused = free.Count;
    }
}
