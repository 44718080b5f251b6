using System.Buffers.Binary;
using System.Globalization;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Processes;

/// <summary>
/// Processes that are made to be expensive, or impossible, to look at. Those of others are traced as if they were not there.
/// </summary>
public sealed class HostileProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Each executable has 4,000 sections over one hole of 16 MiB, all of the name that is searched: gigabytes, if each of them were.
    /// </summary>
    [LiveFact("python3", "setpriv")]
    public async Task Executables_that_take_long_to_read()
    {
        const int count = 50;
        using TempDirectory files = new();
        int[] ports = [.. Enumerable.Range(0, count).Select(_ => FreePort.Next())];
        int port = FreePort.Next();
        byte[] hostile = WithSectionsOverAHole(await File.ReadAllBytesAsync(await NativeProgram.BuildAsync("traffic")));
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts([port, .. ports]));
        List<ChildProcess> started = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                started.Add(await StartHostileAsync(files, hostile, ports[i]));
            }

            // Also one whom nobody knew before.
            await using TestServer server = await ServerKinds.PythonAsync(port: port);
            await HttpRequests.SendAsync(port, 500, "/status/202");
            IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(500, span => span.ServerPort == port, Patience);
            Assert.All(
                spans, span => Assert.Equal((server.Pid, 202, ProcessLanguage.Python), (span.ProcessId, span.StatusCode, span.Language)));
            // While they are still being looked at. That is not lost which a busy machine leaves no time for.
            await agent.StopAsync(ChildProcess.SIGTERM, "inspections");
        }
        finally
        {
            foreach (ChildProcess process in started)
            {
                await process.DisposeAsync();
            }
        }
    }

    /// <summary>Whoever opens or reads the executable waits for ever, and no signal ends that.</summary>
    [LiveFact("python3")]
    public async Task An_executable_on_a_file_system_that_does_not_answer()
    {
        using TempDirectory mount = new();
        int port = FreePort.Next();
        string traffic = await NativeProgram.BuildAsync("traffic");
        await using ChildProcess stalled = ChildProcess.Start(
            await NativeProgram.BuildAsync("stalled-fuse", "-pthread"), [mount.Path, traffic, "serve", Text(port), "read"]);
        await Wait.ForPortAsync("127.0.0.1", port, stalled);
        stalled.CloseInput();
        Assert.True(await Wait.UntilAsync(() => stalled.Output.Contains("stalled", StringComparison.Ordinal), Patience), stalled.Errors);

        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port, port));
        await HttpRequests.SendAsync(server.Port, 100, "/status/202");
        await HttpRequests.SendAsync(port, 20);
        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(100, span => span.ServerPort == server.Port, Patience);
        Assert.All(spans, span => Assert.Equal(ProcessLanguage.Python, span.Language));
        // It is traced as well; only its file is not read.
        spans = await agent.WaitForSpansAsync(20, span => span.ServerPort == port, Patience);
        Assert.All(spans, span => Assert.Equal(("server", ProcessLanguage.Generic), (span.ServiceName, span.Language)));
        await agent.StopAsync(ChildProcess.SIGTERM);
    }

    /// <summary>
    /// A process with so many mappings that listens again and again: each listen would be a look, and each look reads megabytes.
    /// </summary>
    [LiveFact("python3")]
    public async Task A_storm_of_listens()
    {
        int port = FreePort.Next();
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(AgentSettings.ForPorts(server.Port, port));
        await using ChildProcess storm = ChildProcess.Start(await NativeProgram.BuildAsync("listen-storm"), [Text(port), "60000", "3000"]);
        Assert.True(await Wait.UntilAsync(() => storm.Output.Contains("serving", StringComparison.Ordinal), Patience), storm.Errors);
        storm.CloseInput();
        await HttpRequests.SendAsync(server.Port, 300, "/status/202");
        Assert.True(await Wait.UntilAsync(() => storm.Output.Contains("over", StringComparison.Ordinal), Patience), storm.Errors);
        await HttpRequests.SendAsync(server.Port, 200, "/status/202");

        IReadOnlyList<Span> spans = await agent.WaitForSpansAsync(500, span => span.ServerPort == server.Port, Patience);
        Assert.All(spans, span => Assert.Equal(ProcessLanguage.Python, span.Language));
        await agent.StopAsync(ChildProcess.SIGTERM, "inspections");
        Assert.InRange(agent.Counters["inspections"].Produced, 2, 20);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A file of its own for each process: one that is known would not be read again.</summary>
    private static async Task<ChildProcess> StartHostileAsync(TempDirectory files, byte[] content, int port)
    {
        string file = Path.Combine(files.Path, "hostile" + Text(port));
        await using (FileStream stream = File.Create(file))
        {
            await stream.WriteAsync(content);
            stream.SetLength(content.Length + (16 * 1024 * 1024));
        }

        File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        ChildProcess process = ChildProcess.Start(
            Tool.Find("setpriv"), ["--reuid=65534", "--regid=65534", "--clear-groups", "--", file, "serve", Text(port), "read"]);
        await Wait.ForPortAsync("127.0.0.1", port, process);
        return process;
    }

    /// <summary>
    /// The program with another section table at its end (elf(5)): names, and then headers that all name .dynstr over what follows.
    /// </summary>
    private static byte[] WithSectionsOverAHole(byte[] program)
    {
        const int count = 4094, header = 64;
        byte[] names = "\0.dynstr\0.shstrtab\0"u8.ToArray();
        int start = (program.Length + 63) & ~63, table = start + 64, end = table + ((count + 2) * header);
        byte[] file = new byte[end];
        program.CopyTo(file, 0);
        names.CopyTo(file, start);
        for (int i = 1; i < count + 2; i++)
        {
            Span<byte> section = file.AsSpan(table + (i * header), header);
            bool isNames = i == count + 1;
            BinaryPrimitives.WriteInt32LittleEndian(section, isNames ? 9 : 1);
            BinaryPrimitives.WriteInt32LittleEndian(section[4..], 3); // SHT_STRTAB
            BinaryPrimitives.WriteInt64LittleEndian(section[24..], isNames ? start : end);
            BinaryPrimitives.WriteInt64LittleEndian(section[32..], isNames ? names.Length : 16 * 1024 * 1024);
        }

        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), table);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(60), count + 2);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(62), count + 1);
        return file;
    }
}
