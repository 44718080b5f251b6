namespace Beyla.Agent.Protocols.Postgres;

/// <summary>What lives as long as the connection: the database, prepared statements and portals.</summary>
/// <param name="protocol">Texts and names of all connections.</param>
internal sealed class PostgresSession(PostgresProtocol protocol)
{
    /// <summary>Names of one connection.</summary>
    private const int MaxStatements = 1024, MaxPortals = 64;

    /// <summary>Prepared statements by name.</summary>
    public NamedTexts Statements { get; } = new(protocol.Texts, MaxStatements);

    /// <summary>Portals by name: statements whose parameters are bound.</summary>
    public NamedTexts Portals { get; } = new(protocol.Texts, MaxPortals);

    /// <summary>Name of the database; empty when the start-up was not seen.</summary>
    public ReadOnlySpan<byte> Database => database;

    /// <summary>Version of the protocol, such as <c>3.0</c>; empty when the start-up was not seen.</summary>
    public ReadOnlySpan<byte> Version => version;

    private byte[] database = [], version = [];
    private SessionSettings settings = new();

    /// <summary>What the server said of the session.</summary>
    public ref SessionSettings Settings => ref settings;

    /// <summary>Takes the parameters of a start-up.</summary>
    /// <param name="code">Version of the protocol.</param>
    /// <param name="body">Parameters.</param>
    /// <returns>Whether queries will follow, not a stream of replication.</returns>
    public bool TryBegin(uint code, ReadOnlySpan<byte> body)
    {
        // Manual, section 55.4: anything but a false boolean.
        if (StartUpMessage.TryFind(body, "replication"u8, out var replication)
            && !(replication.SequenceEqual("false"u8) || replication.SequenceEqual("off"u8) || replication.SequenceEqual("no"u8)
                || replication.SequenceEqual("0"u8)))
        {
            return false;
        }

        version = protocol.Names.Share([(byte)'3', (byte)'.', (byte)('0' + Math.Min(code & 0xffff, 9))]);
        if (StartUpMessage.TryFind(body, "database"u8, out var name) || StartUpMessage.TryFind(body, "user"u8, out name))
        {
            database = protocol.Names.Share(name);
        }

        return true;
    }

    /// <summary>A command changed what is prepared.</summary>
    /// <param name="tag">Its command tag.</param>
    /// <param name="text">The statement; null when it is not known.</param>
    public void OnCommand(ReadOnlySpan<byte> tag, StatementText? text)
    {
        if (text is { Statements: 1 } && !tag.EndsWith(" ALL"u8) && StatementName.TryFind(text.Text, out var name))
        {
            Span<byte> lower = stackalloc byte[StatementName.MaxLength];
            Statements.Remove(StatementName.Fold(name, lower));
            return;
        }

        Statements.Clear();
    }

    /// <summary>Requests passed unseen: what was prepared or bound there is not known.</summary>
    public void Forget()
    {
        Statements.Clear();
        Portals.Clear();
    }

    /// <summary>Memory is tight: texts that can be shortened are.</summary>
    public void Shorten()
    {
        Statements.Shorten(protocol.Ledger.Buffers);
        Portals.Shorten(protocol.Ledger.Buffers);
    }

    /// <summary>Ready for another connection.</summary>
    public void Release()
    {
        Forget();
        settings.Forget();
        database = version = [];
    }
}
