using System.Runtime.CompilerServices;
using System.Text;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// One command and what is known of its response. Its texts are in one buffer: the command as it may be shown, which begins with the name
/// of the operation, then the first word of an error.
/// </summary>
internal sealed class RedisExchange : Exchange
{
    /// <summary>Estimated bytes of one that no ledger counts.</summary>
    public const int Size = 192;

    /// <summary>Bytes of the command's text where memory is tight: with one more argument it fits into the smallest buffer.</summary>
    public const int ShortText = 96;

    /// <summary>What <see cref="Number"/> is for CLIENT REPLY.</summary>
    public const int ReplyOff = 0, ReplyOn = 1, ReplySkip = 2;

    /// <summary>The next one in the list in which it is.</summary>
    public RedisExchange? Following => Unsafe.As<RedisExchange?>(Next);

    /// <summary>What the command does to the connection.</summary>
    public RedisCommandKind Kind { get; set; }

    /// <summary>Bytes at the beginning of the text that are the name of the operation; 0 when it is no name.</summary>
    public int OperationLength { get; set; }

    /// <summary>Bytes of the text that show the command.</summary>
    public int QueryLength { get; set; }

    /// <summary>Where the name of a script or function stands in the text.</summary>
    public (ushort Start, ushort Length) Procedure { get; set; }

    /// <summary>
    /// A number among the arguments: database, version of RESP; of CLIENT REPLY what it asks for; -1 when there is none.
    /// </summary>
    public int Number { get; set; } = -1;

    /// <summary>Arguments behind the name of the operation; of a subscription the confirmations that are missing.</summary>
    public long Arguments { get; set; }

    /// <summary>First byte of the response: its type; 0 while there is none.</summary>
    public byte Reply { get; set; }

    /// <summary>Elements of the response: -1 when it is null or none.</summary>
    public long Elements { get; set; } = -1;

    /// <summary>The response is an error, or the element that EXEC has for the command.</summary>
    public bool IsError { get; set; }

    /// <summary>The response is <c>+OK</c>, or that of RESET.</summary>
    public bool IsOk { get; set; }

    /// <summary>The response is <c>+QUEUED</c>: the command waits for EXEC.</summary>
    public bool IsQueued { get; set; }

    /// <summary>It may be the response of another command: see <see cref="RedisExchanges"/>.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>Where the stream of responses stood when this command was seen: its response cannot begin before.</summary>
    public uint Boundary { get; set; }

    /// <summary>The name of the operation, as sent.</summary>
    public ReadOnlySpan<byte> Operation => Text.Slice(0, OperationLength);

    /// <summary>The command without its values.</summary>
    public ReadOnlySpan<byte> Query => Text.Slice(0, QueryLength);

    /// <summary>The first word of the error.</summary>
    public ReadOnlySpan<byte> ErrorWord => Text.All[QueryLength..];

    /// <summary>It is none of a ledger: there is no room to keep it, and it is only read.</summary>
    public bool IsSpare { get; set; }

    /// <summary>Whether a confirmation of pub/sub is for this command: its first element is the name of the command.</summary>
    public bool IsConfirmedBy(scoped ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(Operation, word);

    /// <summary>Keeps what is to be known of the response.</summary>
    public void Note(in RedisReply reply, BufferPool buffers)
    {
        Reply = reply.Type;
        Elements = reply.Elements;
        IsOk = reply.Type == '+' && (reply.Text.SequenceEqual("OK"u8) || reply.Text.SequenceEqual("RESET"u8));
        IsQueued = reply.Type == '+' && reply.Text.SequenceEqual("QUEUED"u8);
        if (reply.IsError)
        {
            SetError(reply.Text, buffers);
        }
    }

    /// <summary>The response, or the element that EXEC has for the command, is an error.</summary>
    public void SetError(scoped ReadOnlySpan<byte> word, BufferPool buffers)
    {
        IsError = true;
        Text.Truncate(QueryLength);
        _ = Text.Append(word, buffers);
    }

    /// <summary>Memory is tight: of a long command only the beginning is kept.</summary>
    public void Shorten(BufferPool buffers)
    {
        // One more argument and the mark behind it may be there already.
        if (QueryLength <= 2 * ShortText)
        {
            return;
        }

        var old = Text;
        Text = default;
        var error = old.All[QueryLength..];
        var cut = ShortText;
        while (cut > OperationLength && (old.All[cut] & 0xc0) == 0x80)
        {
            // Not within a character of UTF-8.
            cut--;
        }

        QueryLength = Text.Append(old.Slice(0, cut), buffers) + Text.Append("..."u8, buffers);
        Procedure = Procedure.Start + Procedure.Length <= cut ? Procedure : default;
        _ = Text.Append(error, buffers);
        old.Release(buffers);
    }

    /// <inheritdoc/>
    public override void Clear(BufferPool buffers)
    {
        base.Clear(buffers);
        Kind = RedisCommandKind.Plain;
        OperationLength = QueryLength = 0;
        Procedure = default;
        Number = -1;
        Arguments = 0;
        Elements = -1;
        Boundary = 0;
        Reply = 0;
        IsError = IsOk = IsQueued = IsDoubtful = IsSpare = false;
    }
}
