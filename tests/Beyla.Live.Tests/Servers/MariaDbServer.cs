using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Servers;

/// <summary>
/// MariaDB, whose protocol the agent does not know, with a data directory of its own on a free port of 127.0.0.1; once for all tests of
/// <see cref="MariaDbCollection"/>.
/// </summary>
/// <remarks>
/// Database <c>shop</c> with table <c>item(id int primary key, name text, price int)</c>, 100 rows. root has no password.
/// </remarks>
public sealed class MariaDbServer : IAsyncLifetime
{
    /// <summary>The database of the tests.</summary>
    public const string Database = "shop";

    private TestServer? server;

    /// <summary>The port that it listens on.</summary>
    public int Port => this.server?.Port ?? throw new InvalidOperationException("MariaDB was not started.");

    /// <summary>Makes the data directory and starts the server. Does nothing where the tests are skipped.</summary>
    public async Task InitializeAsync()
    {
        if (LiveConditions.ReasonToSkip(["mariadbd", "mariadb-install-db", "mariadb"]) is not null)
        {
            return;
        }

        TempDirectory files = new();
        string data = Path.Combine(files.Path, "data");
        await Tool.RunAsync("install", "-d", "-o", "mysql", "-m", "700", data);
        await Tool.RunAsync(
            "mariadb-install-db", "--no-defaults", "--user=mysql", $"--datadir={data}", "--auth-root-authentication-method=normal",
            "--skip-test-db");
        int port = FreePort.Next();
        this.server = await TestServer.StartAsync(
            port,
            [Tool.Find("mariadbd"), "--no-defaults", "--user=mysql", $"--datadir={data}", $"--port={Text(port)}",
                "--bind-address=127.0.0.1", $"--socket={data}/socket", $"--pid-file={data}/pid", $"--log-error={data}/log",
                "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--max-allowed-packet=64M"],
            files: files);
        await RunAsync(
            "", $"CREATE DATABASE {Database}", $"CREATE TABLE {Database}.item (id int PRIMARY KEY, name text, price int)",
            $"INSERT INTO {Database}.item SELECT seq, concat('item ', seq), seq * 10 FROM {Database}.seq_1_to_100");
    }

    /// <summary>Runs statements by the client mariadb, each by itself, on one connection.</summary>
    internal Task<string> RunAsync(string database, params string[] statements) => RunByAsync("mariadb", database, statements);

    /// <summary>The same by a copy of the client.</summary>
    internal Task<string> RunByAsync(string program, string database, params string[] statements) => Tool.RunAsync(
        program, "--no-defaults", "--host=127.0.0.1", $"--port={Text(Port)}", "--user=root", "--skip-ssl", "--batch", "--force",
        $"--database={database}", $"--execute={string.Join(';', statements)}");

    /// <summary>Ends the server in order, so that nothing of it stays.</summary>
    public async Task DisposeAsync()
    {
        if (this.server is not null)
        {
            await this.server.DisposeAsync();
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The tests that share one MariaDB.</summary>
[CollectionDefinition(Name)]
public sealed class MariaDbCollection : ICollectionFixture<MariaDbServer>
{
    /// <summary>Its name.</summary>
    public const string Name = "MariaDB";
}
