using System.Reflection;
using System.Runtime.Loader;

namespace Beyla.ModuleBuild;

/// <summary>
/// Reads the cmdlets of an assembly: attributes as data, since PowerShell itself is not there, and the comments beside it.
/// </summary>
internal static class CmdletReader
{
    private const string Automation = "System.Management.Automation.";

    /// <summary>All cmdlets, by name.</summary>
    /// <param name="path">The assembly; its comments lie beside it.</param>
    /// <param name="references">Files of the assemblies that it refers to.</param>
    /// <param name="problems">What is not documented.</param>
    public static IReadOnlyList<Cmdlet> Read(string path, IEnumerable<string> references, List<string> problems)
    {
        var files = references.Append(path).GroupBy(Path.GetFileNameWithoutExtension)
            .ToDictionary(g => g.Key!, g => g.First(), StringComparer.OrdinalIgnoreCase);
        var context = new AssemblyLoadContext("cmdlets");
        context.Resolving += (_, name) =>
            files.TryGetValue(name.Name!, out var file) ? context.LoadFromAssemblyPath(Path.GetFullPath(file)) : null;
        var comments = new CommentReader(Path.ChangeExtension(path, ".xml"));
        var cmdlets = context.LoadFromAssemblyPath(Path.GetFullPath(path)).GetExportedTypes()
            .Where(t => !t.IsAbstract && Find(t, "CmdletAttribute") is not null).Select(t => Read(t, comments))
            .OrderBy(c => c.Name, StringComparer.Ordinal).ToList();
        foreach (var cmdlet in cmdlets)
        {
            Complain(cmdlet, problems);
        }

        return cmdlets;
    }

    private static void Complain(Cmdlet cmdlet, List<string> problems)
    {
        if (cmdlet.Synopsis.Length == 0 || cmdlet.Description.Count == 0)
        {
            problems.Add($"{cmdlet.Name} has no summary or no remarks");
        }

        if (cmdlet.Examples.Count < 3 || cmdlet.Examples.Any(e => e.Code.Length == 0 || e.Text.Count == 0))
        {
            problems.Add($"{cmdlet.Name} needs three examples with code and text");
        }

        problems.AddRange(cmdlet.Parameters.Where(p => p.Description.Count == 0).Select(p => $"{cmdlet.Name} -{p.Name} has no summary"));
    }

    private static Cmdlet Read(Type type, CommentReader comments)
    {
        var attribute = Find(type, "CmdletAttribute")!;
        var member = "T:" + type.FullName;
        return new Cmdlet
        {
            Verb = (string)attribute.ConstructorArguments[0].Value!,
            Noun = (string)attribute.ConstructorArguments[1].Value!,
            DefaultSet = Named(attribute, "DefaultParameterSetName") as string ?? ModuleBuild.Place.EverySet,
            Synopsis = string.Join(' ', comments.Paragraphs(member, "summary")),
            Description = comments.Paragraphs(member, "remarks"),
            Examples = comments.Examples(member),
            Parameters = [.. Parameters(type, comments), .. Standard(attribute)],
            Outputs = [.. type.GetCustomAttributesData().Where(a => Is(a, "OutputTypeAttribute")).SelectMany(OutputTypes)],
        };
    }

    private static IEnumerable<string> OutputTypes(CustomAttributeData attribute) =>
        attribute.ConstructorArguments[0].Value is IReadOnlyCollection<CustomAttributeTypedArgument> list
            ? list.Select(a => ((Type)a.Value!).FullName!)
            : [((Type)attribute.ConstructorArguments[0].Value!).FullName!];

    private static IEnumerable<Parameter> Parameters(Type type, CommentReader comments)
    {
        foreach (var property in type.GetProperties().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            var places = property.GetCustomAttributesData().Where(a => Is(a, "ParameterAttribute")).Select(Place).ToList();
            if (places.Count == 0)
            {
                continue;
            }

            var single = property.PropertyType.IsArray ? property.PropertyType.GetElementType()! : property.PropertyType;
            single = Nullable.GetUnderlyingType(single) ?? single;
            yield return new Parameter
            {
                Name = property.Name,
                Type = single.FullName + (property.PropertyType.IsArray ? "[]" : ""),
                IsSwitch = single.Name == "SwitchParameter",
                IsList = property.PropertyType.IsArray,
                Values = single.IsEnum ? Enum.GetNames(single) : [],
                Aliases = [.. property.GetCustomAttributesData().Where(a => Is(a, "AliasAttribute")).SelectMany(Strings)],
                Description = comments.Paragraphs($"P:{property.DeclaringType!.FullName}.{property.Name}", "summary"),
                Places = places,
            };
        }
    }

    /// <summary>The parameters that PowerShell itself adds.</summary>
    private static IEnumerable<Parameter> Standard(CustomAttributeData attribute)
    {
        if (Named(attribute, "SupportsShouldProcess") is not true)
        {
            yield break;
        }

        (string Name, string Alias, string Text)[] parameters =
        [
            ("WhatIf", "wi", "Shows what would happen and changes nothing."),
            ("Confirm", "cf", "Asks before anything is changed."),
        ];
        foreach (var (name, alias, text) in parameters)
        {
            yield return new Parameter
            {
                Name = name, Type = Automation + "SwitchParameter", IsSwitch = true, IsList = false, Values = [], Aliases = [alias],
                Description = [text],
                Places = [new Place(ModuleBuild.Place.EverySet, false, -1, false, false)],
            };
        }
    }

    private static Place Place(CustomAttributeData attribute) => new(
        Named(attribute, "ParameterSetName") as string ?? ModuleBuild.Place.EverySet,
        Named(attribute, "Mandatory") is true,
        Named(attribute, "Position") as int? ?? -1,
        Named(attribute, "ValueFromPipeline") is true,
        Named(attribute, "ValueFromPipelineByPropertyName") is true);

    private static IEnumerable<string> Strings(CustomAttributeData attribute) =>
        ((IReadOnlyCollection<CustomAttributeTypedArgument>)attribute.ConstructorArguments[0].Value!).Select(a => (string)a.Value!);

    private static object? Named(CustomAttributeData attribute, string name) =>
        attribute.NamedArguments.FirstOrDefault(a => a.MemberName == name).TypedValue.Value;

    private static CustomAttributeData? Find(MemberInfo member, string name) =>
        member.GetCustomAttributesData().FirstOrDefault(a => Is(a, name));

    private static bool Is(CustomAttributeData attribute, string name) => attribute.AttributeType.FullName == Automation + name;
}
