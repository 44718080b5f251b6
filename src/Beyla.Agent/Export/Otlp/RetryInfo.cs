using System.Buffers.Text;

namespace Beyla.Agent.Export.Otlp;

/// <summary>
/// When a gRPC server wants a request again: google.rpc.RetryInfo among the details of a google.rpc.Status, in
/// <c>grpc-status-details-bin</c> (googleapis, google/rpc/status.proto and error_details.proto).
/// </summary>
internal static class RetryInfo
{
    private const int MaximumEncoded = 16 * 1024;

    /// <summary>Reads the header; null where it holds no RetryInfo.</summary>
    /// <param name="header">Base64, with or without padding.</param>
    internal static TimeSpan? Read(string? header)
    {
        if (header is not { Length: > 0 and <= MaximumEncoded })
        {
            return null;
        }

        var padded = System.Text.Encoding.ASCII.GetBytes(header.TrimEnd('=').PadRight((header.TrimEnd('=').Length + 3) / 4 * 4, '='));
        var status = new byte[padded.Length];
        if (Base64.DecodeFromUtf8(padded, status, out _, out var length) != System.Buffers.OperationStatus.Done)
        {
            return null;
        }

        var reader = new ProtobufReader(status.AsSpan(0, length));
        while (reader.Read())
        {
            if (reader is { Field: 3, IsBytes: true } && OfDetail(reader.Bytes) is { } wait)
            {
                return wait;
            }
        }

        return null;
    }

    /// <summary>google.protobuf.Any: type_url 1, value 2.</summary>
    private static TimeSpan? OfDetail(ReadOnlySpan<byte> any)
    {
        var reader = new ProtobufReader(any);
        ReadOnlySpan<byte> type = default, value = default;
        while (reader.Read())
        {
            if (reader is { Field: 1, IsBytes: true })
            {
                type = reader.Bytes;
            }
            else if (reader is { Field: 2, IsBytes: true })
            {
                value = reader.Bytes;
            }
        }

        if (!type.EndsWith("/google.rpc.RetryInfo"u8))
        {
            return null;
        }

        // RetryInfo: retry_delay 1, a Duration: seconds 1, nanos 2.
        reader = new ProtobufReader(value);
        while (reader.Read())
        {
            if (reader is { Field: 1, IsBytes: true })
            {
                return OfDuration(reader.Bytes);
            }
        }

        return TimeSpan.Zero;
    }

    private static TimeSpan OfDuration(ReadOnlySpan<byte> duration)
    {
        var reader = new ProtobufReader(duration);
        var (seconds, nanoseconds) = (0L, 0L);
        while (reader.Read())
        {
            (seconds, nanoseconds) = reader.Field switch
            {
                1 => ((long)reader.Number, nanoseconds),
                2 => (seconds, (long)reader.Number),
                _ => (seconds, nanoseconds),
            };
        }

        return TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86400))
            + TimeSpan.FromMilliseconds(Math.Clamp(nanoseconds, 0, 999_999_999) / 1e6);
    }
}
