using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Beyla.Agent.Kernel;

/// <summary>Collects what libbpf and the verifier print on this thread, so that it becomes evidence instead of noise on stderr.</summary>
internal static unsafe partial class LibbpfLog
{
    private const int Limit = 1 << 20;

    [ThreadStatic]
    private static StringBuilder? current;

    [LibraryImport("libc")]
    private static partial int vasprintf(byte** text, byte* format, nint arguments);

    static LibbpfLog() => Libbpf.libbpf_set_print(&Print);

    /// <summary>Starts collecting on this thread and forgets what was there.</summary>
    internal static void Begin()
    {
        RuntimeHelpers.RunClassConstructor(typeof(LibbpfLog).TypeHandle);
        (current ??= new StringBuilder()).Clear();
    }

    /// <summary>What was printed since <see cref="Begin"/>.</summary>
    internal static string End() => current?.ToString() ?? "";

    /// <summary>
    /// The last line that says something: not a summary of the verifier (processed … insns), not libbpf's frame
    /// lines, not an instruction listing.
    /// </summary>
    internal static string LastMeaningfulLine(string log)
    {
        var last = "";
        foreach (var raw in log.AsSpan().EnumerateLines())
        {
            var line = raw.Trim();
            if (line.IsEmpty || line.StartsWith("processed ") || line.StartsWith("verification time") || line.StartsWith("stack depth")
                || line.StartsWith("-- ") || line.Contains("try raising 'ulimit -l'", StringComparison.Ordinal)
                || line.StartsWith("libbpf: -- ") || line.StartsWith("libbpf: failed to load object"))
            {
                continue;
            }

            if (line.StartsWith("libbpf: prog ") && line.IndexOf("failed to load") > 0 && last.Length > 0)
            {
                continue;
            }

            // libbpf's guesses about a kernel without eBPF and about locked memory lead astray: the errno says what it was.
            if (line.Contains("Couldn't load trivial BPF program", StringComparison.Ordinal))
            {
                last = "not even the smallest program may be loaded";
                continue;
            }

            last = line.StartsWith("libbpf: ") ? line[8..].ToString() : line.ToString();
        }

        return last;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, nint arguments)
    {
        const int debugLevel = 2;
        if (level >= debugLevel || current is not { Length: < Limit } builder)
        {
            return 0;
        }

        // The verifier's log comes in one call, is megabytes long for a large program, and says at its end why.
        byte* text;
        var length = vasprintf(&text, format, arguments);
        if (length >= 0)
        {
            var start = Math.Max(0, length - Limit);
            builder.Append(Encoding.UTF8.GetString(text + start, length - start));
            NativeMemory.Free(text);
        }

        return 0;
    }
}
