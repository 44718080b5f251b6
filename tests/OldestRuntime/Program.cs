// OldestRuntime MODULE REQUEST: loads the exporter for the console as the module does, from the folder of the module, and prints the
// runtime and then what the exporter makes of each line of the file REQUEST.
using System.Reflection;
using System.Runtime.InteropServices;

var exporter = Assembly.LoadFrom(Path.Combine(args[0], "Beyla.PowerShell.dll"))
    .GetType("Beyla.PowerShell.Exporters.ConsoleExporter", throwOnError: true)!;
var load = exporter.GetMethod("Load", BindingFlags.Static | BindingFlags.NonPublic, Type.EmptyTypes)!;
var print = (Func<string, IReadOnlyList<string>>)load.Invoke(null, null)!;
Console.WriteLine(RuntimeInformation.FrameworkDescription);
foreach (var line in File.ReadLines(args[1]).SelectMany(print))
{
    Console.WriteLine(line);
}
