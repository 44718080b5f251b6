namespace Beyla.Live.Tests.Rig;

/// <summary>Programs of the host that tests run.</summary>
internal static class Tool
{
    // Debian's own places, so that a version manager in somebody's PATH changes nothing.
    private static readonly string[] Directories = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["nginx"] = "nginx-light",
        ["python3"] = "python3",
        ["node"] = "nodejs",
        ["curl"] = "curl",
        ["wrk"] = "wrk",
        ["php"] = "php-cli",
        ["java"] = "openjdk-17-jdk-headless",
        ["javac"] = "openjdk-17-jdk-headless",
        ["ip"] = "iproute2",
        ["tc"] = "iproute2",
        ["busybox"] = "busybox-static",
        ["gcc"] = "gcc libc6-dev",
        ["go"] = "golang-go",
        ["setcap"] = "libcap2-bin",
        ["setpriv"] = "util-linux",
        ["postgres"] = "postgresql-15",
        ["initdb"] = "postgresql-15",
        ["pgbench"] = "postgresql-15",
        ["psql"] = "postgresql-client-15",
        ["redis-cli"] = "redis-tools",
        ["mariadbd"] = "mariadb-server",
        ["mariadb-install-db"] = "mariadb-server",
        ["promtool"] = "prometheus",
        ["chromedriver"] = "chromium-driver",
        ["mariadb"] = "mariadb-client",
    };

    // Debian keeps the programs of each version of PostgreSQL apart; /usr/bin/psql is a script that chooses one.
    private static readonly string[] Postgres = [.. Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(version => version + "/bin")
        : []];

    /// <summary>Full path of a program.</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Find(string name) => TryFind(name) ?? throw new FileNotFoundException(Missing(name));

    /// <summary>Full path of a program, or null.</summary>
    public static string? TryFind(string name) =>
        Postgres.Concat(Directories).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    /// <summary>What to say where <paramref name="name"/> is not installed.</summary>
    public static string Missing(string name) => $"{name} is not installed (apt-get install {Packages.GetValueOrDefault(name, name)})";

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another status than 0.</exception>
    public static async Task<string> RunAsync(string name, params string[] arguments)
    {
        await using ChildProcess child = ChildProcess.Start(name.Contains('/') ? name : Find(name), arguments);
        int status = await child.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return status == 0
            ? child.Output
            : throw new InvalidOperationException($"{name} {string.Join(' ', arguments)} ended with {status}: {child.Errors}");
    }
}
