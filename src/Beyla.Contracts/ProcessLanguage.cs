namespace Beyla;

/// <summary>Language or runtime of a process, as far as it can be told from outside.</summary>
public enum ProcessLanguage : byte
{
    Generic = 0, Go, Java, Dotnet, NodeJs, Python, Ruby, Php, Rust, Cpp,
}
