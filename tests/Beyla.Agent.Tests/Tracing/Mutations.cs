using Beyla.Agent.Kernel;

namespace Beyla.Agent.Tests.Tracing;

/// <summary>What fuzz tests of protocols do to an operation and to its way.</summary>
internal static class Mutations
{
    /// <summary>Moves bytes, now and then lost, cut, moved again or after a jump of the sequence numbers.</summary>
    public static void Write(Wire wire, SocketDirection direction, ReadOnlySpan<byte> data, Random random)
    {
        if (data.IsEmpty)
        {
            return;
        }

        switch (random.Next(40))
        {
            case 0:
                wire.Miss(direction, data.Length);
                break;
            case 1:
                wire.Again(direction, random.Next(data.Length * 2), data);
                break;
            case 2:
                wire.Data(direction, data, random.Next(data.Length + 1), random.Next(2) == 0);
                break;
            case 3:
                wire.Miss(direction, random.Next());
                wire.Data(direction, data);
                break;
            default:
                wire.Data(direction, data);
                break;
        }
    }

    /// <summary>Changes a few bytes: at random, by a bit, left out, cut off, or by one of the fragments.</summary>
    /// <param name="buffer">Has room for three fragments behind the bytes.</param>
    /// <param name="length">Of the bytes, at least 1.</param>
    /// <param name="fragments">What the protocol is sensitive to.</param>
    /// <param name="random">Decides.</param>
    /// <returns>The new length.</returns>
    public static int Apply(byte[] buffer, int length, byte[][] fragments, Random random)
    {
        for (var i = random.Next(3); i >= 0; i--)
        {
            var at = random.Next(length);
            switch (random.Next(5))
            {
                case 0:
                    buffer[at] = (byte)random.Next(256);
                    break;
                case 1:
                    buffer[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2 when length > 1:
                    buffer.AsSpan(at + 1, length - at - 1).CopyTo(buffer.AsSpan(at));
                    length--;
                    break;
                case 3:
                    var fragment = fragments[random.Next(fragments.Length)];
                    buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + fragment.Length));
                    fragment.CopyTo(buffer, at);
                    length += fragment.Length;
                    break;
                default:
                    length = at + 1;
                    break;
            }
        }

        return length;
    }
}
