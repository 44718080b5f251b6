using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// What a span shows of a statement: its text without literals and its summary. Made once, when the statement is seen; then shared by the
/// name under which it is prepared, portals and exchanges, each of which holds a reference. The raw text is not kept.
/// </summary>
internal sealed class StatementText
{
    /// <summary>Neighbours in the order of use, among those of named statements.</summary>
    public StatementText? Earlier, Later;

    /// <summary>Holders.</summary>
    public int References;

    /// <summary>Hash of the text, by which texts of named statements are found.</summary>
    public int Hash;

    /// <summary>It is found by its text.</summary>
    public bool IsShared;

    /// <summary>Bytes of a summary that are kept where memory is tight; with the text they fit into the smallest buffer.</summary>
    public const int ShortSummary = 96;

    /// <summary>The same of a text.</summary>
    private const int ShortText = 160;

    private ExchangeText bytes;
    private int textLength, summaryLength;
    private bool isShort;
    private Range operation, collection, procedure;

    /// <summary>The text without literals.</summary>
    public ReadOnlySpan<byte> Text => bytes.Slice(0, textLength);

    /// <summary>Operations and their targets.</summary>
    public ReadOnlySpan<byte> Summary => bytes.Slice(textLength, summaryLength);

    /// <summary>The operation, of a text that is one statement.</summary>
    public ReadOnlySpan<byte> Operation => Summary[operation];

    /// <summary>The first table, of a text that is one statement.</summary>
    public ReadOnlySpan<byte> Collection => Summary[collection];

    /// <summary>The procedure that is called, of a text that is one statement.</summary>
    public ReadOnlySpan<byte> Procedure => Summary[procedure];

    /// <summary>How many statements the text is.</summary>
    public int Statements { get; private set; }

    /// <summary>Takes over what a text was turned into.</summary>
    /// <param name="text">Without literals.</param>
    /// <param name="summary">Of it.</param>
    /// <param name="facts">Parts of the summary.</param>
    /// <param name="buffers">Give room.</param>
    public void Set(ReadOnlySpan<byte> text, ReadOnlySpan<byte> summary, in SqlFacts facts, BufferPool buffers)
    {
        textLength = bytes.AppendShown(text, buffers.Most(ShortText), buffers);
        isShort = textLength < text.Length;
        summaryLength = bytes.Append(summary, buffers);
        if (summaryLength == summary.Length)
        {
            (operation, collection, procedure, Statements) =
                (facts.Operation, facts.Collection, facts.StoredProcedure, facts.StatementCount);
        }
    }

    /// <summary>Memory is tight: of a long text only the beginning is kept.</summary>
    public void Shorten(BufferPool buffers)
    {
        if (textLength + summaryLength <= ShortText + ShortSummary)
        {
            return;
        }

        var old = bytes;
        var oldText = old.Slice(0, textLength);
        var oldSummary = old.Slice(textLength, summaryLength);
        bytes = default;
        isShort |= textLength > ShortText;
        textLength = bytes.AppendShown(oldText, ShortText, buffers);
        if (summaryLength > ShortSummary)
        {
            // Whole words; what was a part of it may be none any more.
            oldSummary = oldSummary[..Math.Max(0, oldSummary[..ShortSummary].LastIndexOf((byte)' '))];
            summaryLength = oldSummary.Length;
            operation = Within(operation);
            collection = Within(collection);
            procedure = Within(procedure);
        }

        _ = bytes.Append(oldSummary, buffers);
        old.Release(buffers);
    }

    /// <summary>Whether a text and its summary, kept as memory allows, would be this one.</summary>
    /// <param name="text">Without literals.</param>
    /// <param name="summary">Of it.</param>
    /// <param name="buffers">Say whether memory is tight.</param>
    public bool IsOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> summary, BufferPool buffers) => Summary.SequenceEqual(summary)
        && (isShort ? buffers.IsTight && text.StartsWith(Text[..^ExchangeText.CutMark.Length]) : Text.SequenceEqual(text));

    /// <summary>Forgets the text; holders then know of none.</summary>
    public void Forget(BufferPool buffers)
    {
        bytes.Release(buffers);
        textLength = summaryLength = Statements = 0;
        operation = collection = procedure = default;
        isShort = false;
    }

    private Range Within(Range part) => part.End.Value <= summaryLength ? part : default;
}
