namespace Beyla;

/// <summary>How the stream spells the values of enumerations (docs/stream.md). Writer and reader use this one table.</summary>
public static class StreamNames
{
    /// <summary>
    /// Version of the stream that this assembly writes; it reads this one and all before it. It rises when a field changes its meaning
    /// or goes away, not when one is added.
    /// </summary>
    public const int Version = 2;

    /// <summary>The name of a side: <c>server</c>, <c>client</c>.</summary>
    public static ReadOnlySpan<byte> Of(SpanKind kind) => kind == SpanKind.Client ? "client"u8 : "server"u8;

    /// <summary>The name of an outcome: <c>complete</c>, <c>upgraded</c>, <c>closed</c>, <c>timedOut</c>, <c>unfinished</c>.</summary>
    public static ReadOnlySpan<byte> Of(SpanOutcome outcome) => outcome switch
    {
        SpanOutcome.Complete => "complete"u8,
        SpanOutcome.Upgraded => "upgraded"u8,
        SpanOutcome.Closed => "closed"u8,
        SpanOutcome.TimedOut => "timedOut"u8,
        _ => "unfinished"u8,
    };

    /// <summary>
    /// The name of a language: <c>go</c>, <c>java</c>, <c>dotnet</c>, <c>nodejs</c>, <c>python</c>, <c>ruby</c>, <c>php</c>,
    /// <c>rust</c>, <c>cpp</c>, <c>generic</c>.
    /// </summary>
    public static ReadOnlySpan<byte> Of(ProcessLanguage language) => language switch
    {
        ProcessLanguage.Go => "go"u8,
        ProcessLanguage.Java => "java"u8,
        ProcessLanguage.Dotnet => "dotnet"u8,
        ProcessLanguage.NodeJs => "nodejs"u8,
        ProcessLanguage.Python => "python"u8,
        ProcessLanguage.Ruby => "ruby"u8,
        ProcessLanguage.Php => "php"u8,
        ProcessLanguage.Rust => "rust"u8,
        ProcessLanguage.Cpp => "cpp"u8,
        _ => "generic"u8,
    };

    /// <summary>
    /// The name of how a parent was found: <c>header</c>, <c>option</c>, <c>connection</c>, <c>thread</c>, <c>goroutine</c>,
    /// <c>agreement</c>; empty of <see cref="ParentSource.None"/>, which is not written.
    /// </summary>
    public static ReadOnlySpan<byte> Of(ParentSource source) => source switch
    {
        ParentSource.Header => "header"u8,
        ParentSource.Option => "option"u8,
        ParentSource.Connection => "connection"u8,
        ParentSource.Thread => "thread"u8,
        ParentSource.Goroutine => "goroutine"u8,
        ParentSource.Agreement => "agreement"u8,
        _ => ""u8,
    };

    /// <summary>Reads <c>client</c> or <c>server</c>; false when it is neither.</summary>
    internal static bool TryKind(ReadOnlySpan<byte> name, out SpanKind kind)
    {
        kind = name.SequenceEqual("client"u8) ? SpanKind.Client : SpanKind.Server;
        return kind == SpanKind.Client || name.SequenceEqual("server"u8);
    }

    /// <summary>A name that a newer agent added counts as unfinished: its end is not known to this reader.</summary>
    internal static SpanOutcome Outcome(ReadOnlySpan<byte> name)
    {
        for (var outcome = SpanOutcome.Complete; outcome < SpanOutcome.Unfinished; outcome++)
        {
            if (name.SequenceEqual(Of(outcome)))
            {
                return outcome;
            }
        }

        return SpanOutcome.Unfinished;
    }

    /// <summary>A language that a newer agent added counts as generic.</summary>
    internal static ProcessLanguage Language(ReadOnlySpan<byte> name)
    {
        for (var language = ProcessLanguage.Go; language <= ProcessLanguage.Cpp; language++)
        {
            if (name.SequenceEqual(Of(language)))
            {
                return language;
            }
        }

        return ProcessLanguage.Generic;
    }

    /// <summary>What a newer agent added may be a guess: it counts as one.</summary>
    internal static ParentSource SourceOf(ReadOnlySpan<byte> name)
    {
        for (var source = ParentSource.Header; source < ParentSource.Agreement; source++)
        {
            if (name.SequenceEqual(Of(source)))
            {
                return source;
            }
        }

        return ParentSource.Agreement;
    }
}
