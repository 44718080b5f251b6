using System.Reflection;
using System.Text.Json;
using System.Xml.Linq;
using Beyla.PowerShell.Commands;

namespace Beyla.PowerShell.Tests.Shape;

/// <summary>
/// The module's assembly as a user meets it: each cmdlet, parameter and output type is there and documented. Attributes are read as data,
/// for PowerShell is not here.
/// </summary>
public sealed class CmdletShapeTests
{
    private const string Automation = "System.Management.Automation.";

    private static readonly Dictionary<string, string[]> Expected = new()
    {
        ["Start-BeylaTrace"] =
        [
            "AgentPath", "AsJob", "ConfigPath", "ContextPropagation", "Duration", "Endpoint", "EnforceCapability", "Executable", "Exporter",
            "Id", "Kind", "Language", "LowLatency", "MaximumCount", "Name", "OpenPort", "RequestTimeout", "Setting",
        ],
        ["Export-BeylaTrace"] =
        [
            "AgentPath", "ConfigPath", "Endpoint", "Exporter", "InputObject", "LiteralPath", "PassThru", "Path", "Setting",
        ],
        ["Get-BeylaFlow"] =
        [
            "AgentPath", "AsJob", "Cidr", "ConfigPath", "Direction", "Duration", "EnforceCapability", "Follow", "Id", "Interface",
            "Interval", "MaximumCount", "Port", "Protocol", "ResolveName", "Setting", "Source",
        ],
        ["Test-BeylaCapability"] =
        [
            "AgentPath", "ConfigPath", "ContextPropagation", "Executable", "Id", "Language", "Minimal", "Name", "Network", "OpenPort",
            "Probe", "Quiet", "Scenario", "Setting", "Source",
        ],
        ["Set-BeylaCapability"] =
        [
            "Add", "AgentPath", "Clear", "ConfigPath", "ContextPropagation", "Executable", "Id", "Language", "Minimal", "Name", "Network",
            "OpenPort", "PassThru", "Requirement", "Scenario", "Setting", "Source",
        ],
    };

    private static readonly Dictionary<string, string[]> Outputs = new()
    {
        ["Start-BeylaTrace"] = ["Beyla.Span"],
        ["Export-BeylaTrace"] = ["System.String", "Beyla.Span"],
        ["Get-BeylaFlow"] = ["Beyla.Flow"],
        ["Test-BeylaCapability"] = ["Beyla.CapabilityRequirement", "System.Boolean"],
        ["Set-BeylaCapability"] = ["Beyla.CapabilityRequirement"],
    };

    private static readonly string Root = FindRoot();

    [Fact]
    public void Every_cmdlet_is_there_and_no_other() => Assert.Equal(Expected.Keys.Order(), Cmdlets().Keys.Order());

    [Fact]
    public void Every_parameter_is_there_and_no_other()
    {
        foreach (var (name, type) in Cmdlets())
        {
            Assert.Equal(Expected[name], type.GetProperties().Where(p => Has(p, "ParameterAttribute")).Select(p => p.Name).Order());
        }
    }

    [Fact]
    public void Every_cmdlet_has_a_page_of_the_project()
    {
        var project = System.Text.RegularExpressions.Regex
            .Match(File.ReadAllText(Path.Combine(Root, "Beyla.psd1")), "ProjectUri *= '(.+)'").Groups[1].Value;
        foreach (var type in Cmdlets().Values)
        {
            var page = (string?)type.GetCustomAttributesData()
                .Single(a => Is(a, "CmdletAttribute")).NamedArguments.SingleOrDefault(a => a.MemberName == "HelpUri").TypedValue.Value;
            Assert.NotNull(page);
            Assert.StartsWith(project + "/blob/main/", page, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(Root, page.Split("/blob/main/")[1])), page);
        }
    }

    [Fact]
    public void Every_output_type_is_declared()
    {
        foreach (var (name, type) in Cmdlets())
        {
            var declared = type.GetCustomAttributesData().Where(a => Is(a, "OutputTypeAttribute"))
                .SelectMany(a => (IReadOnlyCollection<CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)
                .Select(a => ((Type)a.Value!).FullName!);
            Assert.Equal(Outputs[name], declared);
        }
    }

    [Fact]
    public void The_help_that_the_build_wrote_covers_everything()
    {
        var help = XDocument.Load(Path.Combine(Root, "out/modules/Beyla/en-US/Beyla.PowerShell.dll-Help.xml"));
        foreach (var (name, parameters) in Expected)
        {
            var command = Assert.Single(help.Root!.Elements(), c => Texts(c, "details", "name").Single() == name);
            Assert.Superset(parameters.ToHashSet(), Texts(command, "parameters", "parameter", "name").ToHashSet());
            Assert.All(command.Elements().Single(e => e.Name.LocalName == "parameters").Elements(),
                p => Assert.NotEmpty(Texts(p, "description", "para").First()));
            Assert.True(Texts(command, "examples", "example", "code").Count(c => c.Length > 0) >= 3);
            Assert.NotEmpty(Texts(command, "description", "para"));
        }
    }

    [Fact]
    public void The_manifest_exports_exactly_the_cmdlets_and_says_what_it_needs()
    {
        var manifest = File.ReadAllText(Path.Combine(Root, "Beyla.psd1"));

        foreach (var name in Expected.Keys)
        {
            Assert.Contains($"'{name}'", manifest, StringComparison.Ordinal);
        }

        Assert.Contains($"'{typeof(StartBeylaTraceCommand).Assembly.GetName().Version!.ToString(3)}'", manifest, StringComparison.Ordinal);
        Assert.Contains("PowerShellVersion      = '7.4'", manifest, StringComparison.Ordinal);
    }

    [Fact]
    public void The_module_needs_nothing_but_its_contracts_and_powershell()
    {
        var others = typeof(StartBeylaTraceCommand).Assembly.GetReferencedAssemblies().Select(a => a.Name!)
            .Where(n => !n.StartsWith("System.", StringComparison.Ordinal) || n.StartsWith("System.Management", StringComparison.Ordinal))
            .Where(n => n != "Microsoft.Win32.Primitives"); // part of .NET itself

        Assert.Equal(["Beyla.Contracts", "System.Management.Automation"], others.Order());
    }

    [Fact]
    public void The_module_calls_no_native_code()
    {
        const BindingFlags every =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        Assert.DoesNotContain(typeof(StartBeylaTraceCommand).Assembly.GetTypes().SelectMany(t => t.GetMethods(every)),
            m => m.Attributes.HasFlag(MethodAttributes.PinvokeImpl));
    }

    [Fact]
    public void What_is_staged_is_the_module_and_nothing_else()
    {
        var staged = Directory.EnumerateFiles(Path.Combine(Root, "out/modules/Beyla"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Path.Combine(Root, "out/modules/Beyla"), f))
            .Where(f => f != "bin/beyla").Order(StringComparer.Ordinal).ToList();

        Assert.Equal(
            [
                "Beyla.Contracts.dll", "Beyla.Format.ps1xml", "Beyla.PowerShell.dll", "Beyla.Types.ps1xml", "Beyla.psd1", "LICENSE",
                "en-US/Beyla.PowerShell.dll-Help.xml", "en-US/about_Beyla.help.txt", "en-US/about_Beyla_Capabilities.help.txt",
            ],
            staged.Where(f => !f.StartsWith("exporter/", StringComparison.Ordinal)));

        // What is loaded for the console: our assembly, and the packages that its project is locked to, each with a licence in NOTICE.
        using var locked = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "src/Beyla.PowerShell.Console/packages.lock.json")));
        var packages = locked.RootElement.GetProperty("dependencies").GetProperty("net8.0").EnumerateObject().Select(p => p.Name)
            .Where(name => name != "Microsoft.NET.ILLink.Tasks").Select(name => $"exporter/{name}.dll");
        Assert.Equal(
            packages.Append("exporter/Beyla.PowerShell.Console.dll").Append("exporter/NOTICE").Order(StringComparer.Ordinal),
            staged.Where(f => f.StartsWith("exporter/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_property_that_a_view_or_type_names_is_there()
    {
        var types = new Dictionary<string, Type>
        {
            ["Span"] = typeof(Span), ["Http"] = typeof(Span), ["Sql"] = typeof(Span), ["Redis"] = typeof(Span),
            ["Flow"] = typeof(Flow), ["Wide"] = typeof(Flow),
            ["CapabilityRequirement"] = typeof(CapabilityRequirement), ["PlaceCount"] = typeof(PlaceCount),
        };
        foreach (var view in XDocument.Load(Path.Combine(Root, "module/Beyla.Format.ps1xml")).Descendants("View"))
        {
            var type = types[view.Element("Name")!.Value];
            Assert.All(view.Descendants("PropertyName"), p => Assert.NotNull(type.GetProperty(p.Value)));
        }

        foreach (var type in XDocument.Load(Path.Combine(Root, "module/Beyla.Types.ps1xml")).Descendants("Type"))
        {
            var name = type.Element("Name")!.Value;
            var real = TypeOf(name.StartsWith("Deserialized.", StringComparison.Ordinal) ? name["Deserialized.".Length..] : name);
            var added = type.Element("Members")?.Elements().Select(m => m.Element("Name")!.Value).ToHashSet() ?? [];
            Assert.All(type.Descendants("Value").Where(v => v.Value.StartsWith("Beyla.", StringComparison.Ordinal)),
                v => Assert.Same(real, TypeOf(v.Value)));
            Assert.All(type.Descendants("TypeConverter"), c => Assert.Same(typeof(ObjectConverter), TypeOf(c.Value.Trim())));
            Assert.All(type.Descendants("GetCodeReference"),
                c => Assert.NotNull(TypeOf(c.Element("TypeName")!.Value).GetMethod(c.Element("MethodName")!.Value)));
            Assert.All(type.Descendants("ReferencedProperties").Elements("Name"),
                n => Assert.True(added.Contains(n.Value) || real.GetProperty(n.Value) is not null, n.Value));
        }
    }

    [Theory]
    [InlineData(typeof(Contracts.Span), typeof(Span))]
    [InlineData(typeof(Contracts.Flow), typeof(Flow))]
    public void What_the_agent_says_is_in_the_object_as_text_or_number(Type record, Type shown)
    {
        // ConvertTo-Json takes anything else apart, and other sessions get a bag of it.
        Type[] plain = [typeof(string), typeof(int), typeof(long), typeof(double), typeof(long?), typeof(double?)];
        // Status is a number or a text, Attributes a table of them.
        Assert.All(shown.GetProperties().Where(p => p.Name is not (nameof(Span.Status) or nameof(Span.Attributes))),
            p => Assert.Contains(p.PropertyType, plain));
        // StatusCode is Status there.
        string[] absent = ["EqualityContract", "StatusCode"];
        Assert.Subset(shown.GetProperties().Select(p => p.Name).ToHashSet(),
            record.GetProperties().Select(p => p.Name).Where(name => !absent.Contains(name)).ToHashSet());
    }

    [Fact]
    public void Nothing_completes_with_files_where_a_time_a_number_or_a_network_is_meant()
    {
        string[] completed = ["Duration", "Interval", "RequestTimeout", "Cidr", "MaximumCount"];
        var parameters = Cmdlets().Values.SelectMany(t => t.GetProperties()).Where(p => Has(p, "ParameterAttribute")).ToList();
        Assert.All(completed,
            name => Assert.All(parameters.Where(p => p.Name == name), p => Assert.True(Has(p, "ArgumentCompleterAttribute"), name)));
    }

    private static Type TypeOf(string name) =>
        typeof(Span).Assembly.GetType(name) ?? typeof(CapabilityRequirement).Assembly.GetType(name, throwOnError: true)!;

    private static Dictionary<string, Type> Cmdlets() => typeof(StartBeylaTraceCommand).Assembly.GetExportedTypes()
        .Select(t => (Type: t, Attribute: t.GetCustomAttributesData().FirstOrDefault(a => Is(a, "CmdletAttribute"))))
        .Where(t => t.Attribute is not null && !t.Type.IsAbstract)
        .ToDictionary(t => $"{t.Attribute!.ConstructorArguments[0].Value}-{t.Attribute.ConstructorArguments[1].Value}", t => t.Type);

    private static bool Has(MemberInfo member, string attribute) => member.GetCustomAttributesData().Any(a => Is(a, attribute));

    private static bool Is(CustomAttributeData attribute, string name) => attribute.AttributeType.FullName == Automation + name;

    private static IEnumerable<string> Texts(XElement start, params string[] path) =>
        path.Aggregate((IEnumerable<XElement>)[start],
            (found, name) => found.SelectMany(e => e.Elements().Where(c => c.Name.LocalName == name))).Select(e => e.Value);

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Beyla.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("the tests run outside the repository");
        }

        return folder;
    }
}
