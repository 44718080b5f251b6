namespace Beyla.Live.Tests.Capabilities;

/// <summary>The warning of the documentation.</summary>
internal static class Warnings
{
    /// <summary>Asserts that it is there, as documented to the letter, and names exactly these.</summary>
    public static void AssertNamed(string log, string missing) => Assert.Matches(
        "(?m)^time=\\S+ level=WARN msg=\"Required system capabilities not present, Beyla may malfunction\" "
            + $"error=\"the following capabilities are required: {missing}\"$", log);
}
