using System.Buffers.Binary;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>What <see cref="MessageReader.Read"/> came to.</summary>
internal enum ReadStep
{
    /// <summary>The stretch is used up; further bytes are needed.</summary>
    More,

    /// <summary>A message is complete.</summary>
    Message,

    /// <summary>The next header cannot be seen, or is none: where messages begin is not known any more.</summary>
    Lost,
}

/// <summary>
/// Finds the messages in the stream of one direction, however it is cut into operations. Keeps the first bytes of those bodies that are of
/// use and passes over the rest, seen or not.
/// </summary>
/// <param name="buffers">Where bodies that come in several operations are kept.</param>
/// <param name="isResponse">Which direction's messages.</param>
internal sealed class MessageReader(BufferPool buffers, bool isResponse)
{
    /// <summary>Bytes of a query's message that are kept when it comes in several operations.</summary>
    private const int KeptText = 8192;

    /// <summary>The same where memory is tight.</summary>
    private const int ShortText = 256;

    private readonly byte[] header = new byte[8];
    private ExchangeText kept;
    private int headerLength, wanted;
    private long left;
    private uint length;
    private bool inBody, isOver, hasHole, isSkipping;

    /// <summary>Start-up messages are expected, which have no type but a code.</summary>
    public bool IsUntyped { get; set; }

    /// <summary>Where messages begin is not known; <see cref="Restart"/> says that it is again.</summary>
    public bool IsLost { get; private set; }

    /// <summary>
    /// The kernel side does not know where messages begin either: that a stretch begins with one is its guess until messages prove it.
    /// </summary>
    public bool IsAdrift { get; private set; }

    /// <summary>Messages passed unseen since the beginning: lost, or left out by the kernel side.</summary>
    public bool HasMissed { get; private set; }

    /// <summary>When the first byte of the message was moved; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Start { get; private set; }

    /// <summary>Type of the message; 0 when untyped.</summary>
    public byte Type { get; private set; }

    /// <summary>Code of an untyped message.</summary>
    public uint Code { get; private set; }

    /// <summary>Bytes of the whole body, more than <see cref="ReadStep.Message"/> showed when it was cut.</summary>
    public long BodyLength { get; private set; }

    /// <summary>Consumes bytes up to the end of a message.</summary>
    /// <param name="segment">Consumed from the front.</param>
    /// <param name="body">First bytes of the body; valid until the next call.</param>
    public ReadStep Read(ref Segment segment, out ReadOnlySpan<byte> body)
    {
        body = default;
        if (isOver)
        {
            Reset();
        }

        if (isSkipping && !TryEndSkipping(ref segment, out var skipped))
        {
            return skipped;
        }

        if (!inBody && TryReadHeader(ref segment) is var step && step != ReadStep.Message)
        {
            return step;
        }

        if (kept.Length == 0 && !hasHole && left <= segment.Data.Length)
        {
            body = segment.Data[..(int)Math.Min(left, wanted)];
            segment.Skip(left);
            isOver = true;
            return ReadStep.Message;
        }

        while (left > 0)
        {
            if (segment.Left == 0)
            {
                return ReadStep.More;
            }

            Pass(ref segment);
        }

        body = kept.All;
        isOver = true;
        return ReadStep.Message;
    }

    /// <summary>Where messages begin is not known any more.</summary>
    /// <param name="segment">Where that became so; not consumed yet.</param>
    public void Lose(in Segment segment)
    {
        Reset();
        IsAdrift |= segment.Unwalked > 0;
        IsLost = HasMissed = true;
    }

    /// <summary>Ready for a connection.</summary>
    public void Begin()
    {
        Restart();
        HasMissed = false;
    }

    /// <summary>A message begins with the next byte.</summary>
    public void Restart()
    {
        Reset();
        IsLost = IsAdrift = false;
    }

    /// <summary>Memory is tight: of a message of which more is to come only the beginning is kept.</summary>
    public void Shorten()
    {
        wanted = Math.Min(wanted, ShortText);
        if (kept.Length > wanted)
        {
            var old = kept;
            kept = default;
            _ = kept.Append(old.Slice(0, wanted), buffers);
            old.Release(buffers);
        }
    }

    private ReadStep TryReadHeader(ref Segment segment)
    {
        var size = IsUntyped ? 8 : PostgresMessages.HeaderSize;
        while (headerLength < size)
        {
            if (segment.Left == 0)
            {
                return ReadStep.More;
            }

            if (segment.Data.IsEmpty)
            {
                return Skip(ref segment);
            }

            if (headerLength == 0)
            {
                Start = segment.Time;
            }

            var count = Math.Min(size - headerLength, segment.Data.Length);
            segment.Data[..count].CopyTo(header.AsSpan(headerLength));
            headerLength += count;
            segment.Skip(count);
        }

        if (!(IsUntyped ? TryBeginUntyped() : TryBeginTyped()))
        {
            return ReadStep.Lost;
        }

        inBody = true;
        BodyLength = left;
        return ReadStep.Message;
    }

    /// <summary>
    /// A header is not visible. Where the kernel side follows frames it leaves out whole ones, rows and data of COPY, and the next stretch
    /// begins with a frame and says so; where it did not, anything may have been left out, and the place is lost.
    /// </summary>
    private ReadStep Skip(ref Segment segment)
    {
        if (segment.IsGap || segment.Unwalked > 0 || !segment.Tail.IsEmpty)
        {
            return ReadStep.Lost;
        }

        Reset();
        isSkipping = HasMissed = true;
        segment.SkipAll();
        return ReadStep.More;
    }

    private bool TryEndSkipping(ref Segment segment, out ReadStep step)
    {
        step = ReadStep.More;
        if (segment.IsAligned)
        {
            isSkipping = false;
            return true;
        }

        step = segment.Left == 0 ? ReadStep.More : segment.Data.IsEmpty ? Skip(ref segment) : ReadStep.Lost;
        return false;
    }

    private bool TryBeginTyped()
    {
        Type = header[0];
        length = PostgresMessages.LengthOf(header);
        left = length - 4L;
        wanted = isResponse ? WantedOfResponse(Type) : WantedOfRequest(Type);
        return isResponse ? PostgresMessages.IsResponse(Type, length) : PostgresMessages.IsRequest(Type, length);
    }

    private bool TryBeginUntyped()
    {
        Type = 0;
        length = BinaryPrimitives.ReadUInt32BigEndian(header);
        Code = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4));
        left = length - 8L;
        wanted = StartUpMessage.MaxLength;
        return StartUpMessage.IsValid(length, Code);
    }

    /// <summary>Bytes of the body as far as they are there, at least one.</summary>
    private void Pass(ref Segment segment)
    {
        var data = segment.Data[..(int)Math.Min(left, segment.Data.Length)];
        if (data.IsEmpty)
        {
            var unseen = Math.Min(left, segment.Unseen);
            hasHole = true;
            left -= unseen;
            segment.Skip(unseen);
            return;
        }

        if (buffers.IsTight)
        {
            // For good: what comes later is not behind what was left out.
            wanted = Math.Min(wanted, Math.Max(kept.Length, ShortText));
        }

        if (!hasHole && kept.Length < wanted)
        {
            _ = kept.Append(data[..Math.Min(data.Length, wanted - kept.Length)], buffers);
        }

        left -= data.Length;
        segment.Skip(data.Length);
    }

    private void Reset()
    {
        kept.Release(buffers);
        headerLength = 0;
        left = 0;
        inBody = isOver = hasHole = isSkipping = false;
    }

    private static int WantedOfRequest(byte type) => type switch
    {
        (byte)'Q' or (byte)'P' => KeptText,
        (byte)'B' or (byte)'E' or (byte)'C' => 512,
        _ => 0,
    };

    private static int WantedOfResponse(byte type) => type switch
    {
        (byte)'E' => 512,
        (byte)'C' or (byte)'S' => 128,
        (byte)'Z' => 1,
        _ => 0,
    };
}
