using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>
/// PostgreSQL with a data directory of its own, over TCP on a free port of 127.0.0.1, once for all tests of
/// <see cref="PostgresCollection"/> because <c>initdb</c> takes seconds. It says every statement that it runs
/// (<see cref="PostgresLog"/>), which is what tests compare with.
/// </summary>
/// <remarks>
/// Database <c>shop</c> with table <c>item(id int primary key, name text, price int)</c>, 100 rows <c>(i, 'item i', i * 10)</c>, and an
/// empty <c>copied(id int, name text)</c>. Everybody is trusted but the role <c>alice</c>, who has a password.
/// </remarks>
public sealed class PostgresServer : IAsyncLifetime
{
    /// <summary>Connections that it takes.</summary>
    public const int MaxConnections = 300;

    /// <summary>The database of the tests.</summary>
    public const string Database = "shop";

    /// <summary>The password of alice, which must be seen nowhere.</summary>
    public const string Password = "open-sesame-4711";

    private TestServer? server;

    /// <summary>The port that it listens on.</summary>
    public int Port => Server.Port;

    internal PostgresLog Log => new(Server.Process.ErrorLines);

    private TestServer Server => this.server ?? throw new InvalidOperationException("PostgreSQL was not started.");

    /// <summary>Makes the data directory and starts the server. Does nothing where the tests are skipped.</summary>
    public async Task InitializeAsync()
    {
        if (LiveConditions.ReasonToSkip(["postgres", "psql", "setpriv"]) is not null)
        {
            return;
        }

        TempDirectory files = new();
        string data = Path.Combine(files.Path, "data");
        await Tool.RunAsync("install", "-d", "-o", "postgres", "-m", "700", data);
        await AsPostgresAsync("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
            "--locale", "C", "--no-sync", "--no-instructions");
        File.WriteAllText(
            Path.Combine(data, "pg_hba.conf"), "host all alice 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n");
        int port = FreePort.Next();
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={Text(port)}", "unix_socket_directories=", $"max_connections={Text(MaxConnections)}",
            "fsync=off", "shared_buffers=16MB", "autovacuum=off", "log_destination=stderr", "log_statement=all",
            "log_min_error_statement=panic", "log_line_prefix=%p %e ", "max_prepared_transactions=0",
        ];
        // It refuses to run as root. setpriv becomes it, so that signals reach the server itself.
        this.server = await TestServer.StartAsync(
            port, [.. Privileges, Tool.Find("postgres"), "-D", data, .. settings.SelectMany(setting => new[] { "-c", setting })],
            files: files);
        Assert.True(
            await Wait.UntilAsync(() => Log.Contains("database system is ready to accept connections"), Wait.Hang),
            $"PostgreSQL does not serve: {this.server.Process.Errors}");
        await PsqlAsync("postgres", $"CREATE DATABASE {Database}");
        await PsqlAsync(Database,
            "CREATE TABLE item (id int PRIMARY KEY, name text, price int)",
            "INSERT INTO item SELECT i, 'item ' || i, i * 10 FROM generate_series(1, 100) i",
            "CREATE TABLE copied (id int, name text)",
            $"CREATE ROLE alice LOGIN PASSWORD '{Password}'",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO alice");
    }

    /// <summary>Runs statements by psql, each by itself.</summary>
    internal Task<string> PsqlAsync(string database, params string[] statements) => Tool.RunAsync(
        "psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", Text(Port), "-U", "postgres", "-d", database,
            .. statements.SelectMany(statement => new[] { "-c", statement })]);

    /// <summary>Ends the server, at once but so that it leaves no shared memory behind.</summary>
    public async Task DisposeAsync()
    {
        if (this.server is not null)
        {
            this.server.Process.Signal(ChildProcess.SIGQUIT);
            await this.server.Process.WaitForExitAsync(Wait.Hang);
            await this.server.DisposeAsync();
        }
    }

    private static string[] Privileges =>
        [Tool.Find("setpriv"), "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--inh-caps=-all", "--"];

    private static Task<string> AsPostgresAsync(string program, params string[] arguments) =>
        Tool.RunAsync(Privileges[0], [.. Privileges.Skip(1), Tool.Find(program), .. arguments]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The tests that share one PostgreSQL.</summary>
[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    /// <summary>Its name.</summary>
    public const string Name = "PostgreSQL";
}
