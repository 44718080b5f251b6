using System.Buffers;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Makes the text of results safe where they arrive, and not only in the views: what a peer sent also reaches the terminal by way of Group-Object, Select-Object and
/// Write-Host. Text without control characters, that is nearly all, is only looked at.
/// </summary>
public static class Safe
{
    private static readonly SearchValues<char> Suspects = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7f, 0x21)).Concat([0x061c, 0x200e, 0x200f]).Concat(Enumerable.Range(0x2028, 7)).Concat(Enumerable.Range(0x2066, 4))
            .Select(c => (char)c)]);

    /// <summary>The same record, safe to show.</summary>
    public static object Of(object record) => record switch
    {
        Span span => Of(span),
        Flow flow => Of(flow),
        _ => record,
    };

    /// <summary>The same span, with captured text made visible where it could steer a terminal.</summary>
    public static Span Of(Span span)
    {
        ArgumentNullException.ThrowIfNull(span);
        return Harmless(span.Path) && Harmless(span.Query) && Harmless(span.Host) && Harmless(span.Method) && Harmless(span.ServiceName)
            && Harmless(span.ServiceNamespace) && Harmless(span.Executable) && Harmless(span.Protocol)
            ? span
            : Copy(span);
    }

    /// <summary>The same report, with text that came from the kernel and the file system made visible.</summary>
    public static CapabilityReport Of(CapabilityReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report with
        {
            Requirements = [.. report.Requirements.Select(r => r with
            {
                Reason = Visible.Text(r.Reason), WithoutIt = Visible.Text(r.WithoutIt), Evidence = Visible.Text(r.Evidence), Fix = Visible.Text(r.Fix),
            })],
            Host = [.. report.Host.Select(h => h with
            {
                Name = Visible.Text(h.Name), Value = Visible.Text(h.Value), Meaning = Visible.Text(h.Meaning), Fix = [.. h.Fix.Select(Visible.Text)],
            })],
            Probes = [.. report.Probes.Select(p => p with
            {
                Operation = Visible.Text(p.Operation), Error = Visible.Text(p.Error), Evidence = Visible.Text(p.Evidence),
            })],
        };
    }

    /// <summary>The same flow, with names made visible where they could steer a terminal.</summary>
    public static Flow Of(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return Harmless(flow.Interface) && Harmless(flow.SourceName) && Harmless(flow.SourceNetwork) && Harmless(flow.DestinationName) && Harmless(flow.DestinationNetwork)
            && Harmless(flow.ProcessName) && Harmless(flow.ServiceName)
            ? flow
            : Copy(flow);
    }

    internal static bool Harmless(string? text) => !text.AsSpan().ContainsAny(Suspects);

    private static Span Copy(Span span) => new()
    {
        Kind = span.Kind,
        Protocol = Visible.Text(span.Protocol),
        Outcome = span.Outcome,
        Start = span.Start,
        Duration = span.Duration,
        HandlerDuration = span.HandlerDuration,
        Method = Visible.Text(span.Method),
        Path = Visible.Text(span.Path),
        Query = Visible.Text(span.Query),
        Status = span.Status,
        Host = Visible.Text(span.Host),
        ProtocolVersion = span.ProtocolVersion,
        RequestBodyLength = span.RequestBodyLength,
        ResponseBodyLength = span.ResponseBodyLength,
        ClientAddress = span.ClientAddress,
        ClientPort = span.ClientPort,
        ServerAddress = span.ServerAddress,
        ServerPort = span.ServerPort,
        ServiceName = Visible.Text(span.ServiceName),
        ServiceNamespace = Visible.Text(span.ServiceNamespace),
        Language = span.Language,
        ProcessId = span.ProcessId,
        ThreadId = span.ThreadId,
        Executable = Visible.Text(span.Executable),
        NetworkNamespace = span.NetworkNamespace,
        Connection = span.Connection,
    };

    private static Flow Copy(Flow flow) => new()
    {
        FirstSeen = flow.FirstSeen,
        LastSeen = flow.LastSeen,
        Transport = flow.Transport,
        Direction = flow.Direction,
        Interface = Visible.Text(flow.Interface),
        InterfaceDirection = flow.InterfaceDirection,
        SourceAddress = flow.SourceAddress,
        SourcePort = flow.SourcePort,
        SourceName = VisibleName(flow.SourceName),
        SourceNetwork = VisibleName(flow.SourceNetwork),
        DestinationAddress = flow.DestinationAddress,
        DestinationPort = flow.DestinationPort,
        DestinationName = VisibleName(flow.DestinationName),
        DestinationNetwork = VisibleName(flow.DestinationNetwork),
        Bytes = flow.Bytes,
        Packets = flow.Packets,
        Flags = flow.Flags,
        AgentAddress = flow.AgentAddress,
        OwningProcess = flow.OwningProcess,
        ProcessName = Visible.Text(flow.ProcessName),
        ServiceName = Visible.Text(flow.ServiceName),
    };

    private static string? VisibleName(string? name) => name is null ? null : Visible.Text(name);
}
