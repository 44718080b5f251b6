namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The messages with which an operation begins, judged by their headers and what is visible of their bodies: how much they prove that
/// messages of one direction begin here. bpf/protocols/postgres.h judges alike, with fewer bytes.
/// </summary>
/// <param name="Messages">Valid headers in a row from the first byte on.</param>
/// <param name="First">Type of the first one.</param>
/// <param name="Ends">The last one ends with the operation.</param>
/// <param name="IsText">The first one is a query or Parse of which text is visible.</param>
internal readonly record struct MessageChain(int Messages, byte First, bool Ends, bool IsText)
{
    private const int MaxMessages = 16, VisibleText = 8;

    /// <summary>Walks the messages of an operation, a bounded number.</summary>
    /// <param name="data">Its first bytes.</param>
    /// <param name="length">All its bytes.</param>
    /// <param name="isResponse">Which direction's messages.</param>
    /// <returns>No messages at all when one of the visible headers or bodies is invalid.</returns>
    public static MessageChain Walk(ReadOnlySpan<byte> data, long length, bool isResponse)
    {
        var messages = 0;
        var isText = false;
        long at = 0;
        while (messages < MaxMessages && at + PostgresMessages.HeaderSize <= data.Length)
        {
            var header = data[(int)at..];
            var type = header[0];
            var bytes = PostgresMessages.LengthOf(header);
            var isValid = isResponse ? PostgresMessages.IsResponse(type, bytes) : PostgresMessages.IsRequest(type, bytes);
            if (!isValid)
            {
                return default;
            }

            var body = header[PostgresMessages.HeaderSize..];
            var isWhole = body.Length >= bytes - 4;
            body = isWhole ? body[..(int)(bytes - 4)] : body;
            var mayBe = isResponse
                ? PostgresMessages.MayBeResponse(type, bytes, body)
                : PostgresMessages.MayBeRequest(type, body, isWhole);
            if (!mayBe)
            {
                return default;
            }

            isText |= messages == 0 && !isResponse && type is (byte)'Q' or (byte)'P' && (isWhole || body.Length >= VisibleText);
            messages++;
            at += 1 + bytes;
        }

        return new MessageChain(messages, messages == 0 ? (byte)0 : data[0], messages > 0 && at == length, isText);
    }

    /// <summary>
    /// Enough to say so of a connection of which nothing is known: two messages, or a query that fills the operation or runs over it.
    /// </summary>
    public bool IsProof => Messages >= 2 || (Messages == 1 && First == 'Q' && IsText);

    /// <summary>Enough to go on where a connection is known to have such messages.</summary>
    public bool IsResumption => IsProof || (Messages == 1 && (Ends || IsText));

    /// <summary>Whether an operation ends with ReadyForQuery.</summary>
    /// <param name="end">Its last bytes.</param>
    public static bool EndsReady(ReadOnlySpan<byte> end) =>
        end.Length >= 6 && end[^6..^1].SequenceEqual("Z\0\0\0\x05"u8) && end[^1] is (byte)'I' or (byte)'T' or (byte)'E';
}
