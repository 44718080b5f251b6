namespace Beyla.Agent.Protocols.Sql;

/// <summary>What a backslash is to a server in a literal without a prefix (PostgreSQL: standard_conforming_strings).</summary>
internal enum SqlBackslash : byte
{
    /// <summary>A character as any other.</summary>
    Plain = 0,

    /// <summary>It takes the meaning from the character behind it.</summary>
    Escape,

    /// <summary>One of these: where they differ the rest of the text is not shown.</summary>
    Unknown,
}

/// <summary>Settings of a session of PostgreSQL that change where a literal ends. The default is that of the server.</summary>
/// <param name="Backslash">What a backslash is in a literal without a prefix.</param>
/// <param name="Encoding">
/// How characters are made of bytes. <see cref="SqlEncoding.Mask"/> comes before all else where one of more than a byte can have bytes
/// below 128; when it is unknown, the rest of a text is not shown from where that would matter.
/// </param>
internal readonly record struct SqlReading(SqlBackslash Backslash, SqlEncoding.Kind Encoding)
{
    /// <summary>Nothing is known of the session.</summary>
    public static SqlReading Unknown { get; } = new(SqlBackslash.Unknown, SqlEncoding.Kind.Unknown);
}
