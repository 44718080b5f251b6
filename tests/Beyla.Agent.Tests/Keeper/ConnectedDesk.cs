using System.Diagnostics;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>Both ends in one process, over a real pair of sockets and the /proc of this machine.</summary>
internal sealed class ConnectedDesk : IDisposable
{
    private readonly List<Process> started = [];

    public ConnectedDesk()
    {
        (Served, var other) = MessageSocket.CreatePair();
        Connection = new KeeperConnection(other);
        Thread = new Thread(() =>
        {
            using var desk = new KeeperDesk(Host, Privilege);
            desk.Serve(Served);
        });
        Thread.Start();
    }

    public RecordingHost Host { get; } = new();

    public RecordingPrivilege Privilege { get; } = new();

    public KeeperConnection Connection { get; }

    public MessageSocket Served { get; }

    public Thread Thread { get; }

    public int Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        started.Add(process);
        return process.Id;
    }

    public void Dispose()
    {
        Connection.Dispose();
        Thread.Join();
        Served.Dispose();
        Host.Dispose();
        foreach (var process in started)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
