using System.Globalization;
using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Export.Recording;

/// <summary>
/// The processes of a recording. The stream does not carry when a process began nor on which host, of which the agent makes
/// service.instance.id: here it is made of what the stream has, so that the same process of a recording is always the same instance.
/// </summary>
/// <param name="host">What somebody said of the host of the recording.</param>
/// <param name="ended">Told of processes that are forgotten for want of room; they may come again.</param>
internal sealed class RecordedProcesses(HostIdentity host, Action<ProcessInfo> ended)
{
    /// <summary>Those that are known at once.</summary>
    internal const int MaximumKept = 4096;

    private readonly Dictionary<int, ProcessInfo> kept = []; // by process id

    /// <summary>The process of a span: the same object as long as nothing else is said of it.</summary>
    public ProcessInfo Of(Contracts.Span span)
    {
        if (kept.TryGetValue(span.ProcessId, out var known) && known.Language == span.Language
            && known.ServiceName.AsSpan().SequenceEqual(Cut(span.ServiceName, SpanLimits.ServiceName))
            && known.ServiceNamespace.AsSpan().SequenceEqual(Cut(span.ServiceNamespace, SpanLimits.ServiceName))
            && known.Executable.AsSpan().SequenceEqual(Cut(span.Executable, SpanLimits.Executable)))
        {
            return known;
        }

        if (kept.Count >= MaximumKept)
        {
            foreach (var process in kept.Values)
            {
                ended(process);
            }

            kept.Clear();
        }

        return kept[span.ProcessId] = Make(span);
    }

    private ProcessInfo Make(Contracts.Span span)
    {
        var (executable, name, space) = (Cut(span.Executable, SpanLimits.Executable).ToString(),
            Cut(span.ServiceName, SpanLimits.ServiceName).ToString(), Cut(span.ServiceNamespace, SpanLimits.ServiceName).ToString());
        var instance = HostIdentity.InstanceOf(string.Create(
            CultureInfo.InvariantCulture, $"recording/{host.Id}/{host.Name}/{span.ProcessId}/{executable}/{space}/{name}"));
        return new ProcessInfo
        {
            Pid = span.ProcessId, Executable = executable, ServiceName = name, ServiceNamespace = space, Language = span.Language,
            ResourceAttributes = [new("service.instance.id", instance)],
        };
    }

    /// <summary>A line of the agent has no more than that; others may.</summary>
    private static ReadOnlySpan<char> Cut(string text, int limit) => text.AsSpan(0, Math.Min(text.Length, limit + 1));
}
