using System.Management.Automation;
using Beyla.PowerShell.Formatting;

namespace Beyla.PowerShell;

/// <summary>The properties that Beyla.Types.ps1xml adds to the objects of the module, or puts over the texts of the same name.</summary>
public static class Members
{
    /// <summary>Start of a span.</summary>
    public static object SpanStart(PSObject span) => Moment.Of(SpanOf(span).Start);

    /// <summary>HandlerStart of a span.</summary>
    public static object SpanHandlerStart(PSObject span) => Moment.Of(SpanOf(span).HandlerStart);

    /// <summary>End of a span.</summary>
    public static object SpanEnd(PSObject span) => Moment.Of(SpanOf(span).End);

    /// <summary>Duration of a span.</summary>
    public static TimeSpan SpanDuration(PSObject span) => SpanOf(span).Duration;

    /// <summary>HandlerDuration of a span.</summary>
    public static TimeSpan SpanHandlerDuration(PSObject span) => SpanOf(span).HandlerDuration;

    /// <summary>Address and port of the side of a span that asked.</summary>
    public static string SpanClient(PSObject span) => View.Endpoint(SpanOf(span).ClientAddress.ToString(), SpanOf(span).ClientPort);

    /// <summary>Address and port of the side of a span that answered.</summary>
    public static string SpanServer(PSObject span) => View.Endpoint(SpanOf(span).ServerAddress.ToString(), SpanOf(span).ServerPort);

    /// <summary>FirstSeen of a flow.</summary>
    public static object FlowFirstSeen(PSObject flow) => Moment.Of(FlowOf(flow).FirstSeen);

    /// <summary>LastSeen of a flow.</summary>
    public static object FlowLastSeen(PSObject flow) => Moment.Of(FlowOf(flow).LastSeen);

    /// <summary>Duration of a flow.</summary>
    public static TimeSpan FlowDuration(PSObject flow) => FlowOf(flow).LastSeen - FlowOf(flow).FirstSeen;

    /// <summary>Address and port of this host's side of a flow.</summary>
    public static string FlowLocal(PSObject flow) => View.Endpoint(FlowOf(flow).LocalAddress.ToString(), FlowOf(flow).LocalPort);

    /// <summary>Address and port of the other side of a flow.</summary>
    public static string FlowRemote(PSObject flow) => View.Endpoint(FlowOf(flow).RemoteAddress.ToString(), FlowOf(flow).RemotePort);

    /// <summary>State of a requirement by its name, which is what another host can compare.</summary>
    public static string RequirementState(PSObject requirement) => Base<CapabilityRequirement>(requirement).State.ToString();

    /// <summary>Need of a requirement by its name.</summary>
    public static string RequirementNeed(PSObject requirement) => Base<CapabilityRequirement>(requirement).Need.ToString();

    /// <summary>When the counters were read.</summary>
    public static object CountersTime(PSObject counters) => Moment.Of(Base<AgentCounters>(counters).Time);

    private static Contracts.Span SpanOf(PSObject span) => Base<Span>(span).Record;

    private static Contracts.Flow FlowOf(PSObject flow) => Base<Flow>(flow).Record;

    private static T Base<T>(PSObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return (T)value.BaseObject;
    }
}
