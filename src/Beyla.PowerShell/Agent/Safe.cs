namespace Beyla.PowerShell.Agent;

/// <summary>
/// Makes the text of results safe where they arrive, and not only in the views: what a peer sent also reaches the terminal by way of
/// Group-Object, Select-Object and Write-Host. Text without hidden characters, that is nearly all, is only looked at.
/// </summary>
public static class Safe
{
    /// <summary>What a line of the stream becomes in the pipeline, safe to show.</summary>
    public static object Of(object record) => record switch
    {
        Contracts.Span span => new Span(Of(span)),
        Contracts.Flow flow => new Flow(Of(flow)),
        _ => record,
    };

    /// <summary>The same span, with captured text made visible where it could steer a terminal.</summary>
    public static Contracts.Span Of(Contracts.Span span)
    {
        ArgumentNullException.ThrowIfNull(span);
        var attributes = span.Attributes.Change(Visible.Text);
        return ReferenceEquals(attributes, span.Attributes) && Harmless(span.Name) && Harmless(span.ErrorType)
            && Harmless(span.ServiceName) && Harmless(span.ServiceNamespace) && Harmless(span.Executable) && Harmless(span.Protocol)
            && Harmless(span.TraceId) && Harmless(span.SpanId) && Harmless(span.ParentId) && Harmless(span.TraceState)
            ? span
            : span with
            {
                Attributes = attributes, Name = Visible.Text(span.Name), ErrorType = Visible.Text(span.ErrorType),
                ServiceName = Visible.Text(span.ServiceName), ServiceNamespace = Visible.Text(span.ServiceNamespace),
                Executable = Visible.Text(span.Executable), Protocol = Visible.Text(span.Protocol),
                TraceId = Visible.Text(span.TraceId), SpanId = Visible.Text(span.SpanId), ParentId = Visible.Text(span.ParentId),
                TraceState = Visible.Text(span.TraceState),
            };
    }

    /// <summary>The same report, with text that came from the kernel and the file system made visible.</summary>
    public static CapabilityReport Of(CapabilityReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report with
        {
            Requirements = [.. report.Requirements.Select(Of)],
            Host = [.. report.Host.Select(h => h with
            {
                Name = Visible.Text(h.Name), Value = Visible.Text(h.Value), Meaning = Visible.Text(h.Meaning),
                Fix = [.. h.Fix.Select(Visible.Text)],
            })],
            Probes = [.. report.Probes.Select(p => p with
            {
                Operation = Visible.Text(p.Operation), Error = Visible.Text(p.Error), Evidence = Visible.Text(p.Evidence),
            })],
        };
    }

    /// <summary>
    /// The same requirement, with its text made visible. A list that the report left out is empty: the generated
    /// reader of JSON makes null of it.
    /// </summary>
    public static CapabilityRequirement Of(CapabilityRequirement requirement)
    {
        ArgumentNullException.ThrowIfNull(requirement);
        return requirement with
        {
            Reason = Visible.Text(requirement.Reason), WithoutIt = Visible.Text(requirement.WithoutIt),
            Evidence = Visible.Text(requirement.Evidence),
            Fix = Visible.Text(requirement.Fix), UsedBy = [.. (requirement.UsedBy ?? []).Select(Visible.Text)],
            Uses = [.. (requirement.Uses ?? []).Select(u => u with
            {
                Tracer = Visible.Text(u.Tracer), Operation = Visible.Text(u.Operation), WithoutIt = Visible.Text(u.WithoutIt),
                FailingCall = Visible.Text(u.FailingCall),
            })],
        };
    }

    /// <summary>The same flow, with names made visible where they could steer a terminal.</summary>
    public static Contracts.Flow Of(Contracts.Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return Harmless(flow.Interface) && Harmless(flow.SourceName) && Harmless(flow.SourceNetwork)
            && Harmless(flow.DestinationName) && Harmless(flow.DestinationNetwork)
            && Harmless(flow.ProcessName) && Harmless(flow.ServiceName)
            ? flow
            : flow with
            {
                Interface = Visible.Text(flow.Interface), SourceName = VisibleName(flow.SourceName),
                SourceNetwork = VisibleName(flow.SourceNetwork), DestinationName = VisibleName(flow.DestinationName),
                DestinationNetwork = VisibleName(flow.DestinationNetwork),
                ProcessName = Visible.Text(flow.ProcessName), ServiceName = Visible.Text(flow.ServiceName),
            };
    }

    private static bool Harmless(string? text) => !HiddenText.IsIn(text);

    private static string? VisibleName(string? name) => name is null ? null : Visible.Text(name);
}
