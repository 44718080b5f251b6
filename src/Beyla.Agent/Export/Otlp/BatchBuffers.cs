using System.Numerics;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// Memory of requests, used again: one thread takes it and another gives it back, which the runtime's pool is not made for, and these
/// arrays are of the kind that is collected last. Any thread.
/// </summary>
internal static class BatchBuffers
{
    private const int Smallest = 16 * 1024, MaximumSpare = 2 * 1024 * 1024;

    private static readonly Lock Gate = new();
    private static readonly List<byte[]> Spare = [];
    private static int spareBytes;

    /// <summary>An array of at least that length.</summary>
    public static byte[] Take(int length)
    {
        lock (Gate)
        {
            var found = Spare.FindIndex(spare => spare.Length >= length);
            if (found >= 0)
            {
                var buffer = Spare[found];
                Spare.RemoveAt(found);
                spareBytes -= buffer.Length;
                return buffer;
            }
        }

        return new byte[RoomFor(length)];
    }

    /// <summary>Length of an array that is made for that many bytes.</summary>
    public static int RoomFor(int length) => Math.Max(Smallest, (int)BitOperations.RoundUpToPowerOf2((uint)length));

    /// <summary>Gives one back.</summary>
    public static void PutBack(byte[] buffer)
    {
        lock (Gate)
        {
            if (spareBytes + buffer.Length <= MaximumSpare)
            {
                spareBytes += buffer.Length;
                Spare.Add(buffer);
            }
        }
    }
}
