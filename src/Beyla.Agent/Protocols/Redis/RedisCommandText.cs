using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// Makes the text of a command while its arguments come in, as redis-cli would take it: keys are shown, each value is <c>?</c>
/// (OpenTelemetry semantic conventions for Redis, db.query.text). The limits are those of Redis' own SLOWLOG: 32 arguments of 128 bytes;
/// what is cut ends in <c>...</c>.
/// </summary>
internal struct RedisCommandText
{
    private const int MaxArguments = 32, MaxArgument = 128, MaxText = 2048;

    private RedisExchange exchange;
    private BufferPool buffers;
    private RedisCommand command;
    private long left, keys, length;
    private int shown, place, start;
    private char role;
    private bool isFull, isBehindOptions;

    /// <summary>Begins with the name.</summary>
    /// <param name="exchange">Takes the text.</param>
    /// <param name="name">As sent; no name of a command shows nothing at all.</param>
    /// <param name="arguments">How many follow.</param>
    /// <param name="buffers">Where room for the text comes from.</param>
    public void Begin(RedisExchange exchange, scoped ReadOnlySpan<byte> name, long arguments, BufferPool buffers)
    {
        this = default;
        this.exchange = exchange;
        this.buffers = buffers;
        left = exchange.Arguments = arguments;
        var isName = RedisCommands.IsName(name);
        command = isName ? RedisCommands.Find(name) ?? RedisCommands.Other : RedisCommands.Hidden;
        exchange.Kind = command.Kind;
        isFull = !isName;
        if (isName)
        {
            exchange.OperationLength = exchange.QueryLength = exchange.Text.Append(name, buffers);
        }
    }

    /// <summary>The next argument begins.</summary>
    public void BeginArgument()
    {
        length = 0;
        start = exchange.Text.Length;
        role = keys > 0 ? 'k' : command.Kind == RedisCommandKind.Container ? 'c' : command.Role(place, left);
        if (keys > 0)
        {
            keys--;
        }
        else if (role != 's')
        {
            place++;
        }

        left--;
        if (!isFull && (++shown > MaxArguments || start > (buffers.IsTight ? RedisExchange.ShortText : MaxText)))
        {
            _ = exchange.Text.Append(" ..."u8, buffers);
            isFull = true;
        }

        if (!isFull)
        {
            start += exchange.Text.Append(" "u8, buffers);
        }
    }

    /// <summary>Bytes of the argument.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        var room = MaxArgument - (int)Math.Min(length, MaxArgument);
        length += bytes.Length;
        if (role != 'v' && !isFull)
        {
            _ = exchange.Text.Append(bytes[..Math.Min(bytes.Length, room)], buffers);
        }
    }

    /// <summary>Bytes of the argument that were not seen: what comes behind them is not shown either.</summary>
    public void PassOver(long count) => length += MaxArgument + count;

    /// <summary>The argument is complete.</summary>
    public void EndArgument()
    {
        if (!isFull)
        {
            Judge();
        }

        exchange.QueryLength = exchange.Text.Length;
    }

    /// <summary>Memory is tight: of a long command no more is shown than there is, and of that only the beginning kept.</summary>
    public void Shorten()
    {
        if (exchange.Text.Length > RedisExchange.ShortText)
        {
            Cut();
            exchange.Shorten(buffers);
        }
    }

    /// <summary>What follows was not seen.</summary>
    public void Cut()
    {
        if (!isFull)
        {
            exchange.Text.Truncate(exchange.QueryLength);
            _ = exchange.Text.Append(" ..."u8, buffers);
            isFull = true;
        }

        exchange.QueryLength = exchange.Text.Length;
    }

    private void Judge()
    {
        var text = exchange.Text.All[start..];
        var isWhole = text.Length == length;
        switch (role)
        {
            case 'k' or 'p':
                ShowKey(isWhole);
                break;
            case 'o' or 'f' or 's' or 'm' when isWhole && !isBehindOptions && RedisCommands.IsOption(text):
                TakeOption(text);
                break;
            case 'd' or 'n' when isWhole && Utf8Parser.TryParse(text, out int number, out var used) && used == text.Length && number >= 0:
                exchange.Number = role == 'd' ? number : exchange.Number;
                keys = role == 'n' ? Math.Min(number, left) : 0;
                break;
            case 'c':
                TakeSubCommand(isWhole);
                break;
            case 'f':
                isBehindOptions = true;
                Hide();
                break;
            default:
                Hide();
                break;
        }
    }

    private void Hide()
    {
        exchange.Text.Truncate(start);
        _ = exchange.Text.Append("?"u8, buffers);
    }

    private void TakeOption(scoped ReadOnlySpan<byte> text)
    {
        if (role == 's' && Ascii.EqualsIgnoreCase(text, "STREAMS"u8))
        {
            // STREAMS: the names, then as many ids.
            keys = left / 2;
            command = RedisCommands.Hidden;
        }
        else if (role == 'm')
        {
            exchange.Number = Ascii.EqualsIgnoreCase(text, "OFF"u8) ? RedisExchange.ReplyOff
                : Ascii.EqualsIgnoreCase(text, "ON"u8) ? RedisExchange.ReplyOn
                : Ascii.EqualsIgnoreCase(text, "SKIP"u8) ? RedisExchange.ReplySkip : -1;
        }
    }

    private void TakeSubCommand(bool isWhole)
    {
        if (isWhole && RedisCommands.Find(exchange.Text.All) is { } found)
        {
            command = found;
            exchange.Kind = found.Kind;
            exchange.OperationLength = exchange.Text.Length;
        }
        else
        {
            command = RedisCommands.Hidden;
            exchange.Kind = RedisCommandKind.Plain;
            Hide();
        }

        exchange.Arguments = left;
        place = 0;
    }

    /// <summary>A text that redis-cli would take for several words is quoted; one that is no text is hidden.</summary>
    private void ShowKey(bool isWhole)
    {
        Span<byte> key = stackalloc byte[MaxArgument];
        var text = exchange.Text.All[start..];
        text.CopyTo(key);
        key = key[..text.Length];
        if (!isWhole)
        {
            key = key[..WholeCharacters(key)];
        }

        if (!Utf8.IsValid(key) || key.ContainsAnyInRange((byte)0, (byte)0x1f) || key.Contains((byte)0x7f))
        {
            Hide();
            return;
        }

        exchange.Text.Truncate(start);
        var mark = key.IsEmpty || key.IndexOfAny(" \"'"u8) >= 0 ? "\""u8 : default;
        _ = exchange.Text.Append(mark, buffers);
        while (mark.Length > 0 && key.IndexOfAny("\"\\"u8) is >= 0 and var special)
        {
            _ = exchange.Text.Append(key[..special], buffers);
            _ = exchange.Text.Append("\\"u8, buffers);
            _ = exchange.Text.Append(key.Slice(special, 1), buffers);
            key = key[(special + 1)..];
        }

        _ = exchange.Text.Append(key, buffers);
        _ = exchange.Text.Append(mark, buffers);
        if (role == 'p')
        {
            exchange.Procedure = ((ushort)start, (ushort)(exchange.Text.Length - start));
        }

        if (!isWhole)
        {
            _ = exchange.Text.Append("..."u8, buffers);
        }
    }

    /// <summary>Length without a character of UTF-8 that is cut at the end (RFC 3629 section 3).</summary>
    private static int WholeCharacters(scoped ReadOnlySpan<byte> text)
    {
        var end = text.Length;
        while (end > 0 && end > text.Length - 3 && (text[end - 1] & 0xc0) == 0x80)
        {
            end--;
        }

        return end > 0 && text[end - 1] >= 0xc0 ? end - 1 : text.Length;
    }
}
