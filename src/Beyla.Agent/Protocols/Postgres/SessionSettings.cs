using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// Settings of a session that change where literals end, as the server reports them: in the start-up, and after each change (manual,
/// "Asynchronous Operations", ParameterStatus).
/// </summary>
internal struct SessionSettings
{
    private SqlBackslash backslash = SqlBackslash.Unknown;
    private SqlEncoding.Kind encoding = SqlEncoding.Kind.Unknown;

    /// <summary>Nothing was reported yet.</summary>
    public SessionSettings()
    {
    }

    /// <summary>How statements are read that are sent now. Only right while no response is to come: it may change them.</summary>
    public readonly SqlReading Reading => new(backslash, encoding);

    /// <summary>Takes a ParameterStatus.</summary>
    /// <param name="body">Name and value, each with a NUL behind it.</param>
    public void Take(ReadOnlySpan<byte> body)
    {
        if (!NulText.TryTake(ref body, out var name))
        {
            return;
        }

        var isWhole = NulText.TryTake(ref body, out var value);
        if (name.SequenceEqual("standard_conforming_strings"u8))
        {
            backslash = !isWhole ? SqlBackslash.Unknown : value.SequenceEqual("on"u8) ? SqlBackslash.Plain : SqlBackslash.Escape;
        }
        else if (name.SequenceEqual("client_encoding"u8))
        {
            encoding = isWhole ? SqlEncoding.Find(value) : SqlEncoding.Kind.Unknown;
        }
    }

    /// <summary>Responses passed unseen: they may have changed.</summary>
    public void Forget() => this = new SessionSettings();
}
