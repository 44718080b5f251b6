namespace Beyla;

/// <summary>How the trace context travels with outgoing requests (<c>ebpf.context_propagation</c>).</summary>
public enum ContextPropagation
{
    /// <summary>It does not.</summary>
    Disabled,

    /// <summary>In HTTP headers.</summary>
    Headers,

    /// <summary>In a TCP option.</summary>
    Tcp,

    /// <summary>In both.</summary>
    All,
}
