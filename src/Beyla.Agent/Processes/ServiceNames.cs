using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes;

/// <summary>How a process names itself in its environment, before any rule or file name does.</summary>
/// <param name="Name">OTEL_SERVICE_NAME, else service.name of OTEL_RESOURCE_ATTRIBUTES; null when neither is there.</param>
/// <param name="Namespace">service.namespace of OTEL_RESOURCE_ATTRIBUTES; null when it is not there.</param>
/// <param name="IsHidden">The process has written something else over its environment, so a name that it may have had
/// cannot be known.</param>
/// <param name="Attributes">The other entries of OTEL_RESOURCE_ATTRIBUTES; null when there are none.</param>
public readonly record struct ServiceNames(
    string? Name, string? Namespace, bool IsHidden = false, IReadOnlyList<KeyValuePair<string, string>>? Attributes = null)
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
        if (proc.Desk is not null)
        {
            var variables = proc.Variables(pid, out var isEnvironment);
            return variables is null ? default : Of(variables) with { IsHidden = !isEnvironment };
        }

        // Of several variables of one name getenv(3) gives the first.
        var any = proc.VisitEnvironment(pid, static (variable, ref found) =>
        {
            found.Take(variable);
            return !found.IsComplete;
        }, ref found);
        return found.Names with { IsHidden = any && !found.IsEnvironment };
    }

    /// <summary>
    /// Picks the variables that <see cref="Read"/> looks at out of an environment, and nothing else: the first of each name, in the form of
    /// /proc/PID/environ. One that is too long is left out.
    /// </summary>
    /// <param name="proc">Reads the environment.</param>
    /// <param name="pid">The process.</param>
    /// <param name="target">Room for two variables of <see cref="MaximumVariable"/> bytes and their zeros.</param>
    /// <param name="isEnvironment">Whether it is one, and not what the process has written over it.</param>
    /// <returns>The bytes; or the negative errno, ENODATA where it is empty.</returns>
    internal static int Collect(ProcReader proc, int pid, byte[] target, out bool isEnvironment)
    {
        var picked = new Picked { Target = target };
        isEnvironment = false;
        var file = proc.OpenEnvironment(pid);
        if (file < 0)
        {
            return file;
        }

        var any = proc.VisitEnvironment(pid, file, static (variable, ref picked) => picked.Take(variable), ref picked);
        isEnvironment = picked.IsEnvironment;
        return any ? picked.Length : -Errno.ENODATA;
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

    private static ReadOnlySpan<byte> NameVariable => "OTEL_SERVICE_NAME="u8;

    private static ReadOnlySpan<byte> AttributesVariable => "OTEL_RESOURCE_ATTRIBUTES="u8;

    /// <summary>Whether the first piece is a variable, which a title in its place is not (setproctitle(3bsd)).</summary>
    private static bool IsVariable(ReadOnlySpan<byte> text)
    {
        var equals = text.IndexOf((byte)'=');
        return equals > 0 && text[..equals].IndexOfAnyInRange((byte)0, (byte)' ') < 0;
    }

    private struct Picked
    {
        public byte[] Target;
        public int Length;
        public bool IsEnvironment;
        private bool hasName, hasAttributes, any;

        public bool Take(ReadOnlySpan<byte> variable)
        {
            if (!any)
            {
                (any, IsEnvironment) = (true, IsVariable(variable));
            }

            if ((!hasName && variable.StartsWith(NameVariable)) || (!hasAttributes && variable.StartsWith(AttributesVariable)))
            {
                _ = variable.StartsWith(NameVariable) ? hasName = true : hasAttributes = true;
                if (variable.Length <= MaximumVariable)
                {
                    variable.CopyTo(Target.AsSpan(Length));
                    Length += variable.Length;
                    Target[Length++] = 0;
                }
            }

            return !(hasName && hasAttributes);
        }
    }

    private struct Found
    {
        public string? ServiceName, AttributeName, AttributeNamespace;
        public IReadOnlyList<KeyValuePair<string, string>>? Others;
        private bool hasName, hasAttributes, any;

        public readonly bool IsComplete => hasName && hasAttributes;

        /// <summary>Whether the first piece is a variable, which a title in its place is not (setproctitle(3bsd)).</summary>
        public bool IsEnvironment { get; private set; }

        public readonly ServiceNames Names =>
            new(Shorten(ServiceName ?? AttributeName), Shorten(AttributeNamespace), Attributes: Others);

        public void Take(ReadOnlySpan<byte> variable)
        {
            var name = NameVariable;
            var attributes = AttributesVariable;
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
                Others = ResourceAttributes.Others(variable[attributes.Length..]);
            }
        }
    }
}
