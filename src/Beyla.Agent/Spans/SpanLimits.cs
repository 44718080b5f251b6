namespace Beyla.Agent.Spans;

/// <summary>
/// Most bytes that each captured value takes in a line, escaped, before it is cut. Together they keep every line
/// below <see cref="Line"/>.
/// </summary>
public static class SpanLimits
{
    /// <summary>Most bytes of the value of that name.</summary>
    public const int Method = 64, Path = 8192, Query = 8192, Host = 512, Executable = 4096, ServiceName = 512;

    /// <summary>The longest line of a span, in any format.</summary>
    public const int Line = 32 * 1024;
}
