using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Beyla.Benchmarks;

/// <summary>What the PowerShell module costs, measured in PowerShell by tests/Measure-Module.ps1.</summary>
internal static class ModuleSuite
{
    public static string Run(BenchmarkOptions options)
    {
        var text = new StringBuilder()
            .AppendLine("## Module")
            .AppendLine();
        try
        {
            var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-File", "tests/Measure-Module.ps1", "-Rounds",
                Math.Max(5, options.Rounds / 2).ToString(CultureInfo.InvariantCulture)])
            {
                RedirectStandardOutput = true,
            };
            using var pwsh = Process.Start(start)!;
            var rows = pwsh.StandardOutput.ReadToEnd().Split('\n').Where(line => line.StartsWith('|')).ToList();
            pwsh.WaitForExit();
            if (rows.Count == 0 || pwsh.ExitCode != 0)
            {
                throw new InvalidOperationException($"tests/Measure-Module.ps1 ended with {pwsh.ExitCode} and {rows.Count} rows");
            }

            text.AppendLine(
                "For the first row, a fake agent prints spans as fast as it can. The time from response to object is that of the real "
                    + "agent with a small server.")
                .AppendLine()
                .AppendLine("| | median | |")
                .AppendLine("|---|---|---|");
            rows.ForEach(row => text.AppendLine(row));
        }
        catch (Win32Exception)
        {
            text.AppendLine("Not measured: there is no PowerShell on this machine.");
        }

        return text.ToString();
    }
}
