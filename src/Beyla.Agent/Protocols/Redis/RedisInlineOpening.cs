using Beyla.Agent.Kernel;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Recognises a connection that begins with inline commands, <c>SET a 1</c>: lines that each begin with the name of a known command, and a
/// response in RESP. The response is needed, since memcached, NATS and others have commands of the same names; only what no other protocol
/// has is enough where more comes than can wait for it. SMTP, FTP, POP3 and IMAP are told by their servers, which speak first.
/// </summary>
internal static class RedisInlineOpening
{
    /// <summary>
    /// Names of commands that other protocols of lines have as well: memcached, beanstalkd, STOMP, NATS, ZooKeeper, FTP, SQL in a terminal.
    /// </summary>
    private static ReadOnlySpan<byte> Shared =>
        " GET APPEND INCR DECR TOUCH QUIT AUTH HELLO PING ECHO TYPE TIME INFO SAVE DUMP WATCH MONITOR SELECT COPY MOVE SORT SYNC WAIT "u8;

    /// <summary>Whether these bytes, or those of the other direction, may be inline commands at the beginning of a connection.</summary>
    public static bool Concerns(in Opening opening) =>
        opening.IsFresh && (StartsWithLetter(opening.Data) || StartsWithLetter(opening.Other));

    /// <summary>Whether the first bytes of an opening are those of inline commands, and not of their responses.</summary>
    public static bool IsRequest(in Opening opening) => StartsWithLetter(opening.Data);

    /// <summary>Whether it is Redis.</summary>
    public static Confirmation Judge(in Opening opening)
    {
        var isRequest = IsRequest(in opening);
        if (opening.IsAccepted && isRequest == (opening.Direction == SocketDirection.Send))
        {
            // It is the server that says so.
            return Confirmation.No;
        }

        var reply = JudgeReply(isRequest ? opening.Other : opening.Data);
        if (reply == Confirmation.No || !AreCommands(isRequest ? opening.Data : opening.Other, out var complete, out var isOwn))
        {
            return Confirmation.No;
        }

        return (reply == Confirmation.Yes && complete > 0) || (isRequest && isOwn && !Undecided.CanWait(in opening))
            ? Confirmation.Yes : Confirmation.Undecided;
    }

    private static bool StartsWithLetter(ReadOnlySpan<byte> data) => !data.IsEmpty && char.IsAsciiLetter((char)data[0]);

    /// <summary>Whether each line begins with the name of a command, or what there is of the last one may do so.</summary>
    /// <param name="data">Lines.</param>
    /// <param name="complete">How many lines are complete.</param>
    /// <param name="isOwn">One of them is of no other protocol.</param>
    private static bool AreCommands(ReadOnlySpan<byte> data, out int complete, out bool isOwn)
    {
        complete = 0;
        isOwn = false;
        while (!data.IsEmpty)
        {
            if (data[0] == '*')
            {
                // Arrays may follow, as redis-cli --pipe sends one at the end.
                return complete > 0;
            }

            var end = data.IndexOf((byte)'\n');
            var line = end < 0 ? data : data[..end];
            line = line.TrimEnd((byte)'\r');
            data = end < 0 ? default : data[(end + 1)..];
            if (line.ContainsAnyInRange((byte)0, (byte)8) || line.ContainsAnyInRange((byte)10, (byte)31))
            {
                return false;
            }

            var blank = line.IndexOf((byte)' ');
            var name = blank < 0 ? line : line[..blank];
            if (end < 0 && blank < 0)
            {
                return name.IsEmpty || RedisCommands.IsName(name);
            }

            // An empty line is none, and a key of HTTP/1.0 is hardly one.
            if ((!name.IsEmpty && RedisCommands.Find(name) is null) || line.IndexOf(" HTTP/1."u8) >= 0)
            {
                return false;
            }

            complete += end < 0 || name.IsEmpty ? 0 : 1;
            isOwn |= !name.IsEmpty && !IsShared(name, line);
        }

        return true;
    }

    private static bool IsShared(scoped ReadOnlySpan<byte> name, ReadOnlySpan<byte> line)
    {
        Span<byte> word = stackalloc byte[RedisCommands.MaxName + 2];
        word[0] = word[name.Length + 1] = (byte)' ';
        for (var i = 0; i < name.Length; i++)
        {
            word[i + 1] = (byte)char.ToUpperInvariant((char)name[i]);
        }

        word = word[..(name.Length + 2)];
        // memcached: set KEY FLAGS EXPTIME BYTES [noreply].
        return Shared.IndexOf(word) >= 0 || (word.SequenceEqual(" SET "u8) && line.Count((byte)' ') >= 4);
    }

    /// <summary>Whether a response of RESP begins so (the first byte says the type). Empty: it may still come.</summary>
    private static Confirmation JudgeReply(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2)
        {
            return data.IsEmpty || "+-:$*_#,(!=%~"u8.Contains(data[0]) ? Confirmation.Undecided : Confirmation.No;
        }

        var next = (char)data[1];
        var isReply = (char)data[0] switch
        {
            '+' => next > ' ',
            '-' => char.IsAsciiLetterUpper(next),
            ':' or ',' or '(' => char.IsAsciiDigit(next) || next is '-' or '+' or 'i' or 'n',
            '$' or '*' => char.IsAsciiDigit(next) || next == '-',
            '%' or '~' or '!' or '=' => char.IsAsciiDigit(next),
            '#' => next is 't' or 'f',
            '_' => next == '\r',
            _ => false,
        };
        return isReply ? Confirmation.Yes : Confirmation.No;
    }
}
