using System.Management.Automation;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// The errors of the module. The names are stable: scripts compare them as the first part of <c>FullyQualifiedErrorId</c>.
/// </summary>
public enum AgentFault
{
    /// <summary>The host does not run Linux.</summary>
    NotLinux,

    /// <summary>No agent beside the module, none in PATH, or not at the path that was given.</summary>
    AgentNotFound,

    /// <summary>The file is not something that can be run.</summary>
    AgentNotExecutable,

    /// <summary>The file is a program for another processor.</summary>
    AgentWrongArchitecture,

    /// <summary>The operating system refused to start the agent.</summary>
    AgentNotStarted,

    /// <summary>The agent began no stream in time.</summary>
    AgentSilent,

    /// <summary>The agent ended before it was asked to.</summary>
    AgentDied,

    /// <summary>The agent ended with an error of its own.</summary>
    AgentFailed,

    /// <summary>The agent refused a setting.</summary>
    ConfigurationInvalid,

    /// <summary>The agent lacks capabilities.</summary>
    CapabilityMissing,

    /// <summary>The kernel lacks what the agent needs.</summary>
    KernelNotSupported,

    /// <summary>What the agent wrote is not a stream that this module reads.</summary>
    StreamInvalid,

    /// <summary>A newer stream than this module reads.</summary>
    StreamVersionNotSupported,

    /// <summary>One line of the stream cannot be read; the others can.</summary>
    StreamLineInvalid,

    /// <summary>One line of the stream is longer than a line may be; the others are read.</summary>
    StreamLineTooLong,

    /// <summary>The agent reported an error and went on.</summary>
    AgentError,

    /// <summary>Capabilities can be set only by a user who may set file capabilities.</summary>
    CapabilityNotPermitted,

    /// <summary>The configuration file cannot be found.</summary>
    ConfigurationNotFound,

    /// <summary>No process has the name that was given.</summary>
    ProcessNotFound,

    /// <summary>There is no recording at the path that was given.</summary>
    RecordingNotFound,

    /// <summary>A recording cannot be read.</summary>
    RecordingNotReadable,

    /// <summary>Some spans were not exported.</summary>
    SpansLost,

    /// <summary>The exporter for the console, which comes with the module, cannot be loaded.</summary>
    ExporterNotLoaded,
}

/// <summary>How the errors of the module are categorised in PowerShell.</summary>
public static class AgentFaultCategory
{
    /// <summary>The category that PowerShell shows for the error.</summary>
    public static ErrorCategory Category(this AgentFault fault) => fault switch
    {
        AgentFault.NotLinux => ErrorCategory.NotImplemented,
        AgentFault.AgentNotFound or AgentFault.ConfigurationNotFound or AgentFault.ProcessNotFound
            or AgentFault.RecordingNotFound => ErrorCategory.ObjectNotFound,
        AgentFault.AgentNotExecutable or AgentFault.CapabilityMissing or AgentFault.CapabilityNotPermitted =>
            ErrorCategory.PermissionDenied,
        AgentFault.AgentWrongArchitecture or AgentFault.KernelNotSupported => ErrorCategory.NotInstalled,
        AgentFault.RecordingNotReadable => ErrorCategory.ReadError,
        AgentFault.SpansLost => ErrorCategory.WriteError,
        AgentFault.ExporterNotLoaded => ErrorCategory.ResourceUnavailable,
        AgentFault.AgentNotStarted or AgentFault.AgentFailed => ErrorCategory.OpenError,
        AgentFault.AgentSilent => ErrorCategory.OperationTimeout,
        AgentFault.AgentDied => ErrorCategory.ConnectionError,
        AgentFault.ConfigurationInvalid => ErrorCategory.InvalidArgument,
        AgentFault.StreamInvalid or AgentFault.StreamLineInvalid => ErrorCategory.ParserError,
        AgentFault.StreamVersionNotSupported => ErrorCategory.InvalidData,
        AgentFault.StreamLineTooLong => ErrorCategory.LimitsExceeded,
        _ => ErrorCategory.NotSpecified,
    };
}
