using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Beyla.Agent.Tracing;

/// <summary>A stack of objects that wait for their next use. Smaller than that of .NET: what comes off is not cleared.</summary>
/// <typeparam name="T">The kind.</typeparam>
internal struct Spares<T>
    where T : class
{
    private T[] items;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one.</summary>
    public void Push(T item)
    {
        if (items is null || Count == items.Length)
        {
            Array.Resize(ref items, Math.Max(16, 2 * Count));
        }

        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(items), Count++) = item;
    }

    /// <summary>Takes the one that was added last.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryPop(out T? item)
    {
        if (Count == 0)
        {
            item = null;
            return false;
        }

        item = items[--Count];
        return true;
    }

    /// <summary>Lets some go, and the room for those that are gone.</summary>
    public void Drop(int count)
    {
        if (count > 0)
        {
            Count -= count;
            Array.Resize(ref items, Math.Max(16, Count));
        }
    }
}
