using System.Reflection;
using System.Runtime.Loader;
using System.Text.Json;
using Beyla.PowerShell.Agent;

namespace Beyla.PowerShell.Exporters;

/// <summary>
/// Loads the exporter for the console (src/Beyla.PowerShell.Console) with all that it needs into a context of its own: nothing of it is
/// seen by PowerShell or by other modules, and no version that they have loaded is seen by it.
/// </summary>
internal sealed class ConsoleExporter : AssemblyLoadContext
{
    /// <summary>Its folder in the module.</summary>
    internal const string Folder = "exporter";

    private const string AssemblyName = "Beyla.PowerShell.Console", TypeName = AssemblyName + ".RequestPrinter", MethodName = "Print";

    // The console is one for the process, and so is this.
    private static readonly Lazy<Func<string, IReadOnlyList<string>>> Printer =
        new(static () => Load(AgentFile.ModuleFolder), LazyThreadSafetyMode.PublicationOnly);

    private readonly string folder;

    private ConsoleExporter(string folder)
        : base("Beyla exporter") => this.folder = folder;

    /// <summary>What turns a request in OTLP JSON into lines of text.</summary>
    /// <exception cref="AgentException">It cannot be loaded; the function throws it for what is no request.</exception>
    internal static Func<string, IReadOnlyList<string>> Load() => Printer.Value;

    /// <summary>The same from the folder of a module, in a further context.</summary>
    internal static Func<string, IReadOnlyList<string>> Load(string module)
    {
        var folder = Path.Combine(module, Folder);
        var printer = Guard(() => Bind(folder), folder);
        return request => Guard(() => printer(request), folder);
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var file = Path.Combine(folder, assemblyName.Name + ".dll");
        return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
    }

    // What it needs is loaded when it is first used, so an incomplete folder shows at any time.
    private static T Guard<T>(Func<T> work, string folder)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            throw new AgentException(
                AgentFault.StreamInvalid, $"What the agent printed is no OTLP JSON: {Visible.Text(error.Message)}",
                "Use an agent and a module of the same release.", null, error);
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or TypeLoadException
            or MissingMemberException or TypeInitializationException)
        {
            throw new AgentException(
                AgentFault.ExporterNotLoaded,
                $"The exporter for the console cannot be loaded: {Visible.Text((error.InnerException ?? error).Message)}",
                "Install the module again; -Exporter OtlpJson says the same and needs nothing.", folder, error);
        }
    }

    private static Func<string, IReadOnlyList<string>> Bind(string folder)
    {
        var context = new ConsoleExporter(folder);
        var type = context.LoadFromAssemblyPath(Path.Combine(context.folder, AssemblyName + ".dll")).GetType(TypeName, throwOnError: true)!;
        // Only types of .NET itself cross the border.
        var print = type.GetMethod(MethodName, [typeof(string), typeof(Func<string, string>)])
            ?? throw new MissingMethodException(TypeName, MethodName);
        var bound = print.CreateDelegate<Func<string, Func<string, string>, IReadOnlyList<string>>>();
        return request => bound(request, static text => Visible.Text(text));
    }
}
