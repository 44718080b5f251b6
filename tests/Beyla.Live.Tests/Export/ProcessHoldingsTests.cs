using System.Globalization;
using System.Text.RegularExpressions;
using Beyla.Live.Tests.Capabilities;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// Bytes of disks and open descriptors of a server, beside what /proc says of it to root: for them the agent needs a right.
/// </summary>
public sealed class ProcessHoldingsTests
{
    private const int Held = 137;
    private const string Disk = "process.disk.io", Descriptors = "process.unix.file_descriptor.count", Time = "process.cpu.time";

    [LiveFact("python3", "otlp-receiver")]
    public async Task Root_sees_them() => await AssertSeen(settings => settings, []);

    [LiveFact("python3", "otlp-receiver", "setcap", "setpriv")]
    public async Task An_ordinary_user_sees_them_of_another_user_with_the_needed_set()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Needed);
        await AssertSeen(settings => user.Run(settings), []);
    }

    /// <summary>A user may read /proc/PID/io of own processes (proc_pid_io(5)).</summary>
    [LiveFact("python3", "otlp-receiver", "setcap", "setpriv")]
    public async Task An_ordinary_user_sees_them_of_own_processes_without_the_capability()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("cap_bpf,cap_perfmon");
        await AssertSeen(settings => user.Run(settings), ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    }

    [LiveTheory("python3", "otlp-receiver", "setcap", "setpriv")]
    [InlineData("cap_sys_ptrace")]
    [InlineData("cap_dac_read_search")]
    public async Task Without_one_capability_bytes_of_others_are_absent_and_not_zero(string missing)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Without(ScenarioCase.Find("application").Needed, missing));
        using Disks files = new();
        await using TestServer server = await StartAsync(files, []);
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(SettingsOf(server, receiver)));
        await HttpRequests.SendAsync(server.Port, 1, "/write", connections: 1);
        await agent.WaitForServerSpansAsync(1);
        // So many measurements were sent that all of it would have been in one of them.
        Assert.True(
            await Wait.UntilAsync(
                () => receiver.Points.Where(point => point.Metric == Time).Select(point => point.Value).Count() >= 10, Wait.Hang),
            agent.Errors);
        await agent.StopAsync();
        Assert.DoesNotContain(receiver.Points, point => point.Metric == Disk);
        if (Environment.OSVersion.Version >= new Version(6, 2))
        {
            // The kernel says this number to everybody.
            Assert.Equal(Entries(server.Pid), (long)receiver.Points.Last(point => point.Metric == Descriptors).Value!);
        }

        Match told = Assert.Single(Regex.Matches(agent.Errors, "level=DEBUG msg=\"Bytes of disks of a process are not known\".*"));
        Assert.Contains($"pid={server.Pid} error=\"EACCES", told.Value, StringComparison.Ordinal);
        Assert.Contains("CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH", told.Value, StringComparison.Ordinal);
    }

    /// <summary>What is sent once the server rests is what /proc says, and holds what the server did.</summary>
    private static async Task AssertSeen(Func<AgentSettings, AgentSettings> run, string[] prefix)
    {
        using Disks files = new();
        await using TestServer server = await StartAsync(files, prefix);
        await using OtlpReceiver receiver = await OtlpReceiver.StartAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(run(SettingsOf(server, receiver)));
        await HttpRequests.SendAsync(server.Port, 3, "/write", connections: 1);
        await agent.WaitForServerSpansAsync(3);
        (long Read, long Written) moved = default;
        OtlpPoint[] points = [];
        Assert.True(
            await Wait.UntilAsync(
                () =>
                {
                    (moved, points) = (Moved(server.Pid), Last(receiver));
                    return Value(points, Disk, "write") == moved.Written && Value(points, Disk, "read") == moved.Read
                        && Value(points, Descriptors) == Entries(server.Pid);
                },
                Wait.Hang),
            $"{moved}\n{string.Join('\n', points.Select(point => $"{point.Metric} {point.Value}"))}\n{agent.Errors}");
        Assert.InRange(moved.Written, 3 << 20, 4 << 20);
        // And the standard ones, the socket, and what came from the parent.
        Assert.InRange(Value(points, Descriptors)!.Value, Held + 4, Held + 20);

        OtlpPoint disk = points.First(point => point.Metric == Disk);
        Assert.Equal(("By", "sum", 2, true, (long)server.Pid),
            (disk.Unit, disk.Type, disk.Temporality, disk.Monotonic, disk.Resource["process.pid"]));
        OtlpPoint descriptors = points.First(point => point.Metric == Descriptors);
        Assert.Equal(("{file_descriptor}", "sum", 2, false, 0),
            (descriptors.Unit, descriptors.Type, descriptors.Temporality, descriptors.Monotonic, descriptors.Attributes.Count));
        await agent.StopAsync();
        Assert.DoesNotContain("Bytes of disks of a process are not known", agent.Errors, StringComparison.Ordinal);
    }

    private static AgentSettings SettingsOf(TestServer server, OtlpReceiver receiver) =>
        ExportingAgent.For(server.Port, receiver.HttpUrl)
            .With("OTEL_METRICS_EXPORTER", "otlp").With("OTEL_METRIC_EXPORT_INTERVAL", "200").With("BEYLA_LOG_LEVEL", "DEBUG")
            .With("BEYLA_METRICS_FEATURES", "application_process").With("BEYLA_PROCESSES_INTERVAL", "200ms");

    private static Task<TestServer> StartAsync(Disks files, string[] prefix)
    {
        int port = FreePort.Next();
        string script = Path.Combine(AppContext.BaseDirectory, "Servers", "Scripts", "usage.py");
        return TestServer.StartAsync(port, [
            .. prefix, Tool.Find("python3"), "-I", script, port.ToString(CultureInfo.InvariantCulture), Path.Combine(files.Path, "data"),
            Held.ToString(CultureInfo.InvariantCulture)]);
    }

    /// <summary>The last of each series.</summary>
    private static OtlpPoint[] Last(OtlpReceiver receiver) =>
        [.. receiver.Points.GroupBy(point => (point.Metric, point.Attributes.Values.FirstOrDefault())).Select(group => group.Last())];

    private static long? Value(OtlpPoint[] points, string metric, string? direction = null) => (long?)points.SingleOrDefault(
        point => point.Metric == metric && point.Attributes.GetValueOrDefault("disk.io.direction") as string == direction)?.Value;

    /// <summary>proc_pid_io(5).</summary>
    private static (long Read, long Written) Moved(int pid)
    {
        Dictionary<string, long> io = File.ReadLines($"/proc/{pid}/io").Select(line => line.Split(": "))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
        return (io["read_bytes"], io["write_bytes"]);
    }

    private static int Entries(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    /// <summary>A directory on a disk: /var/tmp keeps its files over a restart (Filesystem Hierarchy Standard 3.0, 5.15).</summary>
    private sealed class Disks : IDisposable
    {
        public Disks()
        {
            Path = System.IO.Path.Combine("/var/tmp", $"beyla-live-{Guid.NewGuid():N}");
            Directory.CreateDirectory(Path);
            File.SetUnixFileMode(Path, (UnixFileMode)0b111_111_111);
        }

        public string Path { get; }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
