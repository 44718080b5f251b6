using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Recognises a stream by its first bytes: <c>*n $m NAME</c>, a command as an array of bulk strings; an inline command only at the
/// beginning of a connection (<see cref="RedisInlineOpening"/>). A response is no proof. In the kernel bpf/protocols/redis.h asks the same
/// with less care.
/// </summary>
internal static class RedisOpening
{
    private const long MaxArguments = 1024 * 1024;

    /// <summary>Whether it is Redis.</summary>
    public static Confirmation Judge(in Opening opening)
    {
        var data = opening.Data;
        if (RedisInlineOpening.Concerns(in opening))
        {
            return RedisInlineOpening.Judge(in opening);
        }

        var verdict = ReadHead(data, out var arguments, out var name, out var end);
        if (verdict != Confirmation.Yes)
        {
            return verdict;
        }

        // Where the bytes end, more may come: what is there has to fit.
        if (end < data.Length && data[end] != (arguments > 1 ? '$' : '*'))
        {
            return Confirmation.No;
        }

        // In the middle of a connection an array of words may be a response, too: of a known command it is hardly one.
        // A conversation stays as long as its connection: one that is over had nothing of Redis, and is no reason to trust what follows.
        var isCommand = opening.IsFresh || RedisCommands.Find(name) is not null || name.Contains((byte)'.');
        return isCommand ? Confirmation.Yes : Confirmation.No;
    }

    /// <summary>Reads up to the end of the name.</summary>
    private static Confirmation ReadHead(ReadOnlySpan<byte> data, out long arguments, out ReadOnlySpan<byte> name, out int end)
    {
        name = default;
        end = 0;
        var verdict = ReadNumber(data, '*', ref end, out arguments);
        if (verdict != Confirmation.Yes)
        {
            return verdict;
        }

        if (arguments is < 1 or > MaxArguments)
        {
            return Confirmation.No;
        }

        verdict = ReadNumber(data, '$', ref end, out var length);
        if (verdict != Confirmation.Yes)
        {
            return verdict;
        }

        if (length is < 1 or >= RedisCommands.MaxName)
        {
            return Confirmation.No;
        }

        name = data[end..Math.Min(data.Length, end + (int)length)];
        if (!name.IsEmpty && !RedisCommands.IsName(name))
        {
            return Confirmation.No;
        }

        var behind = data[(end + name.Length)..];
        end += (int)length + 2;
        return !"\r\n"u8.StartsWith(behind[..Math.Min(2, behind.Length)]) ? Confirmation.No
            : behind.Length >= 2 ? Confirmation.Yes : Confirmation.Undecided;
    }

    private static Confirmation ReadNumber(scoped ReadOnlySpan<byte> data, char mark, ref int at, out long number)
    {
        number = 0;
        if (at >= data.Length)
        {
            return Confirmation.Undecided;
        }

        if (data[at++] != mark)
        {
            return Confirmation.No;
        }

        var start = at;
        for (; at < data.Length; at++)
        {
            if (data[at] == '\r' && at > start)
            {
                if (at + 1 < data.Length)
                {
                    at += 2;
                    return data[at - 1] == '\n' ? Confirmation.Yes : Confirmation.No;
                }

                return Confirmation.Undecided;
            }

            if (!char.IsAsciiDigit((char)data[at]) || at - start > 7)
            {
                return Confirmation.No;
            }

            number = (number * 10) + data[at] - '0';
        }

        return Confirmation.Undecided;
    }
}
