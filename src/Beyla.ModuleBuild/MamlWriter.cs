using System.Xml.Linq;

namespace Beyla.ModuleBuild;

/// <summary>Writes help in the form that Get-Help reads from a module: MAML.</summary>
internal static class MamlWriter
{
    private static readonly XNamespace Help = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>Writes the help of the cmdlets to a file, over what is there.</summary>
    public static void Write(IEnumerable<Cmdlet> cmdlets, string path) =>
        new XDocument(new XElement(Help + "helpItems", new XAttribute("schema", "maml"), cmdlets.Select(Item))).Save(path);

    private static XElement Item(Cmdlet cmdlet) => new(
        Command + "command",
        new XAttribute(XNamespace.Xmlns + "maml", Maml), new XAttribute(XNamespace.Xmlns + "command", Command),
        new XAttribute(XNamespace.Xmlns + "dev", Dev),
        new XElement(
            Command + "details",
            new XElement(Command + "name", cmdlet.Name), new XElement(Command + "verb", cmdlet.Verb),
            new XElement(Command + "noun", cmdlet.Noun),
            new XElement(Maml + "description", Para(cmdlet.Synopsis))),
        new XElement(Maml + "description", cmdlet.Description.Select(Para)),
        new XElement(Command + "syntax", cmdlet.Sets.Select(set => Syntax(cmdlet, set))),
        new XElement(Command + "parameters", cmdlet.Parameters.Select(p => Describe(p, p.Places[0], whole: true))),
        new XElement(Command + "inputTypes", Inputs(cmdlet).Select(type => Typed(Command + "inputType", type))),
        new XElement(Command + "returnValues", cmdlet.Outputs.Select(type => Typed(Command + "returnValue", type))),
        new XElement(Command + "examples", cmdlet.Examples.Select(Show)),
        new XElement(Maml + "relatedLinks", new XElement(Maml + "navigationLink", new XElement(Maml + "linkText", "about_Beyla"))));

    private static XElement Syntax(Cmdlet cmdlet, string set) => new(
        Command + "syntaxItem",
        new XElement(Maml + "name", cmdlet.Name),
        cmdlet.Parameters.Select(p => (Parameter: p, Place: p.In(set))).Where(p => p.Place is not null)
            .OrderByDescending(p => p.Place!.Mandatory).ThenBy(p => p.Place!.Position < 0 ? int.MaxValue : p.Place.Position)
            .Select(p => Describe(p.Parameter, p.Place!, whole: false)));

    private static XElement Describe(Parameter parameter, Place place, bool whole)
    {
        var element = new XElement(
            Command + "parameter",
            new XAttribute("required", Text(place.Mandatory)), new XAttribute("variableLength", Text(parameter.IsList)),
            new XAttribute("globbing", "false"),
            new XAttribute("pipelineInput", place.PipelineText), new XAttribute("position", place.PositionText),
            new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases)),
            new XElement(Maml + "name", parameter.Name),
            new XElement(Maml + "description",
                parameter.Description.Append(whole && parameter.Values.Count > 0 ? $"One of {string.Join(", ", parameter.Values)}." : "")
                .Where(t => t.Length > 0).Select(Para)));
        if (parameter.Values.Count > 0 && !whole)
        {
            element.Add(new XElement(Command + "parameterValueGroup", parameter.Values.Select(v =>
                new XElement(
                    Command + "parameterValue", new XAttribute("required", "false"), new XAttribute("variableLength", "false"), v))));
        }
        else if (!parameter.IsSwitch)
        {
            element.Add(new XElement(
                Command + "parameterValue", new XAttribute("required", "true"),
                new XAttribute("variableLength", Text(parameter.IsList)), Short(parameter.Type)));
        }

        element.Add(
            new XElement(Dev + "type", new XElement(Maml + "name", parameter.Type)),
            new XElement(Dev + "defaultValue", parameter.IsSwitch ? "False" : "None"));
        return element;
    }

    private static List<string> Inputs(Cmdlet cmdlet)
    {
        var types = cmdlet.Parameters.Where(p => p.Places.Any(place => place.ByValue || place.ByName)).Select(p => p.Type).Distinct()
            .ToList();
        return types.Count == 0 ? ["None"] : types;
    }

    private static XElement Typed(XName name, string type) =>
        new(name, new XElement(Dev + "type", new XElement(Maml + "name", type)), new XElement(Maml + "description", Para("")));

    private static XElement Show(Example example) => new(
        Command + "example",
        new XElement(Maml + "title", $"-------- {example.Title} --------"),
        new XElement(Dev + "code", example.Code),
        new XElement(Dev + "remarks", example.Text.Select(Para)));

    private static XElement Para(string text) => new(Maml + "para", text);

    private static string Short(string type) => type[(type.LastIndexOf('.') + 1)..];

    private static string Text(bool value) => value ? "true" : "false";
}
