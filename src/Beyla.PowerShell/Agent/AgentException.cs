using System.Management.Automation;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Something about the agent or its stream went wrong. Carries all that an error record needs; the message says what
/// happened and to what.
/// </summary>
public sealed class AgentException : Exception
{
    /// <summary>Makes an error of the kind <paramref name="kind"/>.</summary>
    /// <param name="kind">Which error; its name is the first part of the FullyQualifiedErrorId.</param>
    /// <param name="message">What happened, with the value or number that shows it.</param>
    /// <param name="action">What the user can do about it.</param>
    /// <param name="target">What it happened to: a path, a process id, a line.</param>
    /// <param name="inner">What caused it.</param>
    public AgentException(AgentFault kind, string message, string action, object? target = null, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        RecommendedAction = action;
        Target = target;
    }

    /// <summary>Which error it is.</summary>
    public AgentFault Kind { get; }

    /// <summary>What the user can do about it.</summary>
    public string RecommendedAction { get; }

    /// <summary>What it happened to.</summary>
    public object? Target { get; }

    /// <summary>The same error as PowerShell wants it: id, category, target, recommended action.</summary>
    public ErrorRecord ToErrorRecord() => new(this, Kind.ToString(), Kind.Category(), Target)
    {
        ErrorDetails = new ErrorDetails(Message) { RecommendedAction = RecommendedAction },
    };
}
