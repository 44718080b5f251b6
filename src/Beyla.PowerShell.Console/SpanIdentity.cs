using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Beyla.PowerShell.Console;

/// <summary>
/// Gives an activity the identity that its span has. An activity makes its own and lets nobody set it, so the fields are set in which it
/// keeps the hexadecimal digits. The assembly that has them is the one of the package that lies beside this one, not that of the runtime,
/// so they are the same wherever PowerShell runs; a test shows it.
/// </summary>
internal static class SpanIdentity
{
    /// <summary>Sets both identities, in lower-case hexadecimal digits.</summary>
    internal static void Set(Activity activity, ActivityTraceId trace, ActivitySpanId span)
    {
        TraceId(activity) = trace.ToHexString();
        SpanId(activity) = span.ToHexString();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_traceId")]
    private static extern ref string? TraceId(Activity activity);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanId(Activity activity);
}
