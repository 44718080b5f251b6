using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Beyla.Agent.Export.Relay;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Recording;

/// <summary>
/// Gives spans that were read from a stream (docs/stream.md) to the stages that the agent gives its own to, as if it had just seen them.
/// One thread.
/// </summary>
/// <param name="host">What somebody said of the host of the recording.</param>
/// <param name="stages">Each gets every span.</param>
public sealed class RecordedSpans(HostIdentity host, IReadOnlyList<IExportStage> stages)
{
    /// <summary>Nanoseconds are what exporters make of it.</summary>
    private const long LatestTime = long.MaxValue / 1000;

    private static readonly (string Name, ProtocolId Protocol)[] Protocols =
        [.. Enum.GetValues<ProtocolId>().Where(static one => one is not (ProtocolId.None or ProtocolId.Foreign))
            .Select(static one => (SpanProtocols.Of(one).Name, one))];

    private readonly RecordedProcesses processes = new(host, process =>
    {
        foreach (var stage in stages)
        {
            stage.OnEnd(process);
        }
    });

    private readonly SpanValues values = new();
    private readonly byte[] scratch = new byte[Encoding.UTF8.GetMaxByteCount(SpanAttributes.All.Max(static row => row.Limit) + 4)];

    /// <summary>Gives the span to the stages.</summary>
    /// <param name="recorded">The span.</param>
    /// <returns>What is wrong with it; null when all is well.</returns>
    public string? Replay(Contracts.Span recorded)
    {
        var start = UnixMicroseconds(recorded.Start);
        var duration = Microseconds(recorded.Duration);
        var handler = Math.Clamp(Microseconds(recorded.HandlerDuration), 0, duration);
        if (start < 0 || start + duration > LatestTime)
        {
            return "the field start is not between 1970 and 2262";
        }

        if (!TryContext(recorded, start, out var context))
        {
            return "an identity of the trace is not as docs/stream.md has it";
        }

        Fill(recorded);
        var span = new SpanData
        {
            Protocol = ProtocolOf(recorded.Protocol), Values = values, Kind = recorded.Kind, Outcome = recorded.Outcome,
            Pid = recorded.ProcessId, Tid = recorded.ThreadId, NetworkNamespace = (uint)recorded.NetworkNamespace,
            Connection = recorded.Connection, Context = context,
            // Only their differences mean anything.
            Start = 0, HandlerStart = (duration - handler) * 1000, End = duration * 1000,
            ClientAddress = Address.From(recorded.ClientAddress), ClientPort = (ushort)recorded.ClientPort,
            IsClientNamed = recorded.PeerAddress is not null,
            PeerAddress = Address.From(recorded.RemoteAddress), PeerPort = (ushort)recorded.RemotePort,
            ServerAddress = Address.From(recorded.ServerAddress), ServerPort = (ushort)recorded.ServerPort,
        };
        var exported = new ExportedSpan(in span)
        {
            Process = processes.Of(recorded), Start = start, Duration = duration, HandlerDuration = handler,
        };
        for (var i = 0; i < stages.Count; i++)
        {
            stages[i].OnSpan(in exported);
        }

        return null;
    }

    private static long UnixMicroseconds(DateTimeOffset time) => Microseconds(time - DateTimeOffset.UnixEpoch);

    private static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>One that this agent does not know has no rules of its own.</summary>
    private static ProtocolId ProtocolOf(string name)
    {
        foreach (var (known, protocol) in Protocols)
        {
            if (known == name)
            {
                return protocol;
            }
        }

        return ProtocolId.Foreign;
    }

    /// <summary>The first version of the stream had no traces: there they are made of what tells the span from others.</summary>
    private static bool TryContext(Contracts.Span span, long start, out TraceContext context)
    {
        context = default;
        if (span.TraceId.Length == 0)
        {
            Span<byte> hash = stackalloc byte[2 * NameHash.Size];
            var name = string.Create(CultureInfo.InvariantCulture,
                $"{span.Connection:x}/{span.ProcessId}/{span.Kind}/{start}/{span.ClientPort}/{span.Duration.Ticks}");
            NameHash.Of(Encoding.UTF8.GetBytes("trace/" + name), hash);
            NameHash.Of(Encoding.UTF8.GetBytes("span/" + name), hash[NameHash.Size..]);
            (context.TraceHigh, context.TraceLow, context.Flags) =
                (BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]), TraceContext.Sampled);
            context.SpanId = BinaryPrimitives.ReadUInt64BigEndian(hash[NameHash.Size..]);
            return true;
        }

        ulong high = 0, low = 0, id = 0, parent = 0;
        if (span.TraceId.Length != 32 || !TryHex(span.TraceId.AsSpan(0, 16), out high) || !TryHex(span.TraceId.AsSpan(16), out low)
            || (high | low) == 0 || !TryHex(span.SpanId, out id) || id == 0
            || (span.ParentId.Length > 0 && !TryHex(span.ParentId, out parent)) || span.TraceFlags > byte.MaxValue)
        {
            return false;
        }

        context = new TraceContext
        {
            TraceHigh = high, TraceLow = low, SpanId = id, ParentId = parent, Source = span.ParentSource, Flags = (byte)span.TraceFlags,
        };
        return true;
    }

    private static bool TryHex(ReadOnlySpan<char> digits, out ulong number)
    {
        number = 0;
        return digits.Length == 16 && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }

    private void Fill(Contracts.Span span)
    {
        values.Clear();
        Add(SpanAttribute.Name, span.Name);
        Add(SpanAttribute.ErrorType, span.ErrorType);
        Add(SpanAttribute.TraceState, span.TraceState);
        var known = 0;
        foreach (var row in SpanAttributes.All)
        {
            if (row.IsEnvelope)
            {
                continue;
            }

            if (!row.IsNumber)
            {
                known += Add(row.Attribute, span.Attributes.Text(row.Attribute)) ? 1 : 0;
            }
            else if (span.Attributes.Number(row.Attribute) is { } number)
            {
                values.Add(row.Attribute, number);
                known++;
            }
        }

        if (known < span.Attributes.Count)
        {
            Log.WarnLimited("recording attributes", "Attributes that this agent does not know are left out",
                ("attribute", span.Attributes.Keys.First(static name => SpanAttributes.Find(name) is null)));
        }
    }

    /// <summary>A text is no longer than in a line of the agent, the mark of a cut included.</summary>
    private bool Add(SpanAttribute attribute, string text)
    {
        if (text.Length == 0)
        {
            return false;
        }

        var limit = SpanAttributes.Of(attribute).Limit + Escape.MarkLength;
        var written = Encoding.UTF8.GetBytes(text.AsSpan(0, Math.Min(text.Length, limit + 1)), scratch);
        values.Add(attribute, SpanRecord.Cut(scratch.AsSpan(0, written), limit));
        return true;
    }
}
