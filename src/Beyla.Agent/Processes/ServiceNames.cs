using System.Text;

namespace Beyla.Agent.Processes;

/// <summary>How a process names itself in its environment, before any rule or file name does.</summary>
/// <param name="Name">OTEL_SERVICE_NAME, else service.name of OTEL_RESOURCE_ATTRIBUTES; null when neither is there.</param>
/// <param name="Namespace">service.namespace of OTEL_RESOURCE_ATTRIBUTES; null when it is not there.</param>
/// <param name="IsHidden">The process has written something else over its environment, so a name that it may have had
/// cannot be known.</param>
public readonly record struct ServiceNames(string? Name, string? Namespace, bool IsHidden = false)
{
    /// <summary>Longest name, in UTF-16 characters: what is longer is cut.</summary>
    internal const int MaximumName = 256;

    /// <summary>A longer variable is not looked at, in bytes.</summary>
    internal const int MaximumVariable = 16 * 1024;

    /// <summary>What the kernel side saw of the environment at execve.</summary>
    /// <param name="variables">In the form of /proc/PID/environ, as <see cref="ProcessTableOptions.StartedWith"/> gives them.</param>
    internal static ServiceNames Of(ReadOnlySpan<byte> variables)
    {
        var found = new Found();
        foreach (var range in variables.Split((byte)0))
        {
            found.Take(variables[range]);
        }

        return found.Names;
    }

    /// <summary>Reads the environment that the process was started with, as /proc shows it now.</summary>
    internal static ServiceNames Read(ProcReader proc, int pid)
    {
        var found = new Found();
        // Of several variables of one name getenv(3) gives the first.
        var any = proc.VisitEnvironment(pid, static (variable, ref found) =>
        {
            found.Take(variable);
            return !found.IsComplete;
        }, ref found);
        return found.Names with { IsHidden = any && !found.IsEnvironment };
    }

    /// <summary>File name of an executable.</summary>
    internal static string FileName(string path) => Shorten(path[(path.LastIndexOf('/') + 1)..]) ?? "";

    /// <summary>Cuts what is too long, not within a surrogate pair; null for nothing but spaces.</summary>
    internal static string? Shorten(string? name)
    {
        name = name?.Trim();
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        if (name.Length <= MaximumName)
        {
            return name;
        }

        return name[..(char.IsHighSurrogate(name[MaximumName - 1]) ? MaximumName - 1 : MaximumName)];
    }

    private struct Found
    {
        public string? ServiceName, AttributeName, AttributeNamespace;
        private bool hasName, hasAttributes, any;

        public readonly bool IsComplete => hasName && hasAttributes;

        /// <summary>Whether the first piece is a variable, which a title in its place is not (setproctitle(3bsd)).</summary>
        public bool IsEnvironment { get; private set; }

        public readonly ServiceNames Names => new(Shorten(ServiceName ?? AttributeName), Shorten(AttributeNamespace));

        public void Take(ReadOnlySpan<byte> variable)
        {
            var name = "OTEL_SERVICE_NAME="u8;
            var attributes = "OTEL_RESOURCE_ATTRIBUTES="u8;
            if (!any)
            {
                (any, IsEnvironment) = (true, IsVariable(variable));
            }

            if (!hasName && variable.StartsWith(name))
            {
                hasName = true;
                if (variable.Length <= MaximumVariable && Shorten(Encoding.UTF8.GetString(variable[name.Length..])) is { } own)
                {
                    ServiceName = own;
                }
            }
            else if (!hasAttributes && variable.StartsWith(attributes))
            {
                hasAttributes = true;
                if (variable.Length > MaximumVariable)
                {
                    return;
                }

                AttributeName = Shorten(ResourceAttributes.Find(variable[attributes.Length..], "service.name"u8));
                AttributeNamespace = Shorten(ResourceAttributes.Find(variable[attributes.Length..], "service.namespace"u8));
            }
        }

        private static bool IsVariable(ReadOnlySpan<byte> text)
        {
            var equals = text.IndexOf((byte)'=');
            return equals > 0 && text[..equals].IndexOfAnyInRange((byte)0, (byte)' ') < 0;
        }
    }
}
