using System.Text;

namespace Beyla.PowerShell.Console;

/// <summary>
/// Takes what one thread writes to the console and lets pass what others do. OpenTelemetry's exporter writes to the console of the process,
/// which no pipeline gets, and which is the wire where PowerShell serves another one over standard output.
/// </summary>
internal sealed class LineCapture : TextWriter
{
    private readonly TextWriter others;
    private readonly int thread = Environment.CurrentManagedThreadId;
    private readonly StringBuilder text = new();

    private LineCapture(TextWriter others) => this.others = others;

    /// <inheritdoc/>
    public override Encoding Encoding => others.Encoding;

    private bool IsMine => Environment.CurrentManagedThreadId == thread;

    /// <summary>Runs the work, which writes whole lines to the console, and returns them.</summary>
    internal static IReadOnlyList<string> Of(Action work)
    {
        var before = System.Console.Out;
        var capture = new LineCapture(before);
        System.Console.SetOut(capture);
        var mine = System.Console.Out;
        try
        {
            work();
        }
        finally
        {
            // Unless somebody has put another one there in the meantime.
            if (ReferenceEquals(System.Console.Out, mine))
            {
                System.Console.SetOut(before);
            }
        }

        return capture.text.Length == 0 ? [] : capture.text.ToString(0, capture.text.Length - 1).Split('\n');
    }

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (IsMine)
        {
            text.Append(value);
        }
        else
        {
            others.Write(value);
        }
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (IsMine)
        {
            text.Append(value);
        }
        else
        {
            others.Write(value);
        }
    }

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count)
    {
        if (IsMine)
        {
            text.Append(buffer, index, count);
        }
        else
        {
            others.Write(buffer, index, count);
        }
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + "\n");

    /// <inheritdoc/>
    public override void Flush() => others.Flush();
}
