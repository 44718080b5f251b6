using System.IO.Compression;

namespace Beyla.Agent.Export;

/// <summary>Compresses by gzip (RFC 1952) into memory that grows and is used again. One thread.</summary>
internal sealed class GzipBuffer : IDisposable
{
    private readonly MemoryStream packed = new();

    /// <summary>Compresses a whole body; what it was before is gone.</summary>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlyMemory<byte> Pack(ReadOnlySpan<byte> body)
    {
        packed.SetLength(0);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(body);
        }

        return packed.GetBuffer().AsMemory(0, (int)packed.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => packed.Dispose();
}
