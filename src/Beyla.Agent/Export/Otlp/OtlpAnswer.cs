namespace Beyla.Agent.Export.Otlp;

/// <summary>What a receiver made of a request.</summary>
public enum OtlpVerdict : byte
{
    /// <summary>It took all, or all but what it says.</summary>
    Taken,

    /// <summary>It may take it later.</summary>
    Again,

    /// <summary>It will never take it.</summary>
    Refused,
}

/// <summary>The answer of a receiver.</summary>
/// <param name="Verdict">What it made of the request.</param>
/// <param name="Rejected">Spans or data points that it did not take although it took the request (partial success).</param>
/// <param name="Reason">What is wrong, for the log; empty where nothing is.</param>
/// <param name="After">How long it wants to be left alone; null where it does not say.</param>
public readonly record struct OtlpAnswer(OtlpVerdict Verdict, long Rejected = 0, string Reason = "", TimeSpan? After = null);
