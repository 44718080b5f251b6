namespace Beyla.Agent.Spans;

/// <summary>
/// Most bytes that values of the host take in a line, escaped, before they are cut; the limits of attributes are in
/// <see cref="SpanAttributes"/>. Together they keep every line below <see cref="Line"/>.
/// </summary>
public static class SpanLimits
{
    /// <summary>Most bytes of the value of that name.</summary>
    public const int Executable = 4096, ServiceName = 512;

    /// <summary>The longest line of a span, in any format.</summary>
    public const int Line = 32 * 1024;
}
