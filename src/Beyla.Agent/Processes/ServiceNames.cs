using System.Text;

namespace Beyla.Agent.Processes;

/// <summary>How a process names itself in its environment, before any rule or file name does.</summary>
/// <param name="Name">OTEL_SERVICE_NAME, else service.name of OTEL_RESOURCE_ATTRIBUTES; null when neither is there.</param>
/// <param name="Namespace">service.namespace of OTEL_RESOURCE_ATTRIBUTES; null when it is not there.</param>
public readonly record struct ServiceNames(string? Name, string? Namespace)
{
    /// <summary>Longest name, in UTF-16 characters: what is longer is cut.</summary>
    internal const int MaximumName = 256;

    /// <summary>A longer variable is not looked at, in bytes.</summary>
    internal const int MaximumVariable = 16 * 1024;

    /// <summary>Reads the environment that the process was started with.</summary>
    internal static ServiceNames Read(ProcReader proc, int pid)
    {
        var found = new Found();
        // Of several variables of one name getenv(3) gives the first.
        proc.VisitEnvironment(pid, static (variable, ref found) =>
        {
            found.Take(variable);
            return !found.IsComplete;
        }, ref found);
        return new ServiceNames(Shorten(found.ServiceName ?? found.AttributeName), Shorten(found.AttributeNamespace));
    }

    /// <summary>File name of an executable.</summary>
    internal static string FileName(string path) => Shorten(path[(path.LastIndexOf('/') + 1)..]) ?? "";

    /// <summary>Cuts what is too long, not within a surrogate pair; null for nothing but spaces.</summary>
    internal static string? Shorten(string? name)
    {
        name = name?.Trim();
        if (string.IsNullOrEmpty(name))
            return null;
        if (name.Length <= MaximumName)
            return name;
        return name[..(char.IsHighSurrogate(name[MaximumName - 1]) ? MaximumName - 1 : MaximumName)];
    }

    private struct Found
    {
        public string? ServiceName, AttributeName, AttributeNamespace;
        private bool hasName, hasAttributes;

        public readonly bool IsComplete => hasName && hasAttributes;

        public void Take(ReadOnlySpan<byte> variable)
        {
            var name = "OTEL_SERVICE_NAME="u8;
            var attributes = "OTEL_RESOURCE_ATTRIBUTES="u8;
            if (!hasName && variable.StartsWith(name))
            {
                hasName = true;
                if (variable.Length <= MaximumVariable && Shorten(Encoding.UTF8.GetString(variable[name.Length..])) is { } own)
                    ServiceName = own;
            }
            else if (!hasAttributes && variable.StartsWith(attributes))
            {
                hasAttributes = true;
                if (variable.Length > MaximumVariable)
                    return;
                AttributeName = Shorten(ResourceAttributes.Find(variable[attributes.Length..], "service.name"u8));
                AttributeNamespace = Shorten(ResourceAttributes.Find(variable[attributes.Length..], "service.namespace"u8));
            }
        }
    }
}
