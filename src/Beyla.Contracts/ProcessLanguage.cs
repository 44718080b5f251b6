namespace Beyla;

/// <summary>Language or runtime of a process, as far as it can be told from outside.</summary>
public enum ProcessLanguage : byte
{
    /// <summary>None that is known here.</summary>
    Generic = 0,

    /// <summary>Go.</summary>
    Go,

    /// <summary>Java, or another language of its virtual machine.</summary>
    Java,

    /// <summary>.NET.</summary>
    Dotnet,

    /// <summary>JavaScript in Node.js.</summary>
    NodeJs,

    /// <summary>Python.</summary>
    Python,

    /// <summary>Ruby.</summary>
    Ruby,

    /// <summary>PHP.</summary>
    Php,

    /// <summary>Rust.</summary>
    Rust,

    /// <summary>C++: its runtime is loaded.</summary>
    Cpp,
}
