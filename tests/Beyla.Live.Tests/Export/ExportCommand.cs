using System.Text.Json;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>What <c>beyla export</c> did with a recording.</summary>
/// <param name="Status">Its exit code.</param>
/// <param name="Lines">Standard output.</param>
/// <param name="Errors">Lines of standard error.</param>
internal sealed record ExportCommand(int Status, IReadOnlyList<string> Lines, IReadOnlyList<string> Errors)
{
    /// <summary>The last line, which says how many spans were exported.</summary>
    public string Summary => Errors[^1];

    /// <summary>Standard output as one text.</summary>
    public string Page => string.Concat(Lines.Select(line => line + "\n"));

    /// <summary>The spans on standard output, which is OTLP JSON: one request in each line.</summary>
    public IReadOnlyList<OtlpSpan> Spans =>
        [.. Lines.SelectMany(line => OtlpSpan.Of(JsonSerializer.Deserialize<JsonElement>(line)))];

    /// <summary>Runs it to its end.</summary>
    /// <param name="recording">The path of the recording.</param>
    /// <param name="arguments">What comes after <c>export</c>.</param>
    /// <param name="environment">Variables besides PATH and HOME.</param>
    public static async Task<ExportCommand> RunAsync(
        string recording, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        await using ChildProcess child = Start(recording, arguments, environment);
        int status = await child.WaitForExitAsync(Wait.Hang);
        return new ExportCommand(status, [.. child.OutputLines], [.. child.ErrorLines]);
    }

    /// <summary>Starts it.</summary>
    public static ChildProcess Start(
        string recording, IEnumerable<string> arguments, params (string Name, string Value)[] environment) => ChildProcess.Start(
        "/bin/sh", [.. With(recording).Skip(1), Repository.Agent, "export", .. arguments],
        environment.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)));

    /// <summary>A command that runs another one with the recording as its standard input.</summary>
    public static IReadOnlyList<string> With(string recording) => ["/bin/sh", "-c", "input=$0; exec \"$@\" < \"$input\"", recording];
}
