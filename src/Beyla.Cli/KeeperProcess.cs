using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>
/// The process that was started, once its capabilities are checked: loads what is configured, answers the worker until that ends, and ends
/// like it. Signals and the end of the caller come here and go on to the worker.
/// </summary>
internal sealed class KeeperProcess : IDisposable
{
    /// <summary>
    /// A worker that was asked to stop and does not come to its end is left to the kernel, which ends it with this process.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly AgentConfiguration configuration;
    private readonly CapabilityReport capabilities;
    private readonly StopSignals signals;
    private readonly MessageSocket control, controlOther;
    private readonly MemoryFile? file;
    private readonly MemoryFile[] named;
    private readonly KeeperHost host;
    private readonly ManualResetEventSlim ended = new();

    private KeeperProcess(LoadedConfiguration loaded, IReadOnlyList<string> named, CapabilityReport capabilities)
    {
        this.capabilities = capabilities;
        configuration = loaded.ConfigurationToStart;
        file = loaded.FileText is { } text ? MemoryFile.Of(text) : null;
        this.named = [.. named.Select(MemoryFile.Of)];
        (control, controlOther) = MessageSocket.CreatePair();
        host = new KeeperHost(configuration, file?.FileDescriptor ?? -1, this.named, controlOther.FileDescriptor);
        signals = new StopSignals(configuration.ExitWithParent);
    }

    /// <summary>Serves a worker from its first question to its end.</summary>
    /// <param name="loaded">The configuration.</param>
    /// <param name="named">The contents of <see cref="AgentConfiguration.NamedFiles"/>.</param>
    /// <param name="capabilities">What the check at start found.</param>
    /// <returns>The exit code.</returns>
    public static int Run(LoadedConfiguration loaded, IReadOnlyList<string> named, CapabilityReport capabilities)
    {
        using var keeper = new KeeperProcess(loaded, named, capabilities);
        return keeper.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        signals.Dispose();
        host.Dispose();
        control.Dispose();
        controlOther.Dispose();
        file?.Dispose();
        Array.ForEach(named, static content => content.Dispose());
        ended.Dispose();
    }

    private int Run()
    {
        // Answers while programs are loaded: the worker begins meanwhile.
        var main = new Thread(Serve, KeeperHost.DeskStack) { IsBackground = true, Name = "desk" };
        main.Start();
        host.Provide(
            configuration.ApplicationEnabled
                ? ModeStart.Try("Application observability", () => ApplicationPrograms.Load(configuration)) : null,
            configuration.Network.Enabled
                ? ModeStart.Try("Network observability", () => NetworkFlows.Load(configuration.Network, capabilities)) : null,
            configuration.Statistics.Enabled ? ModeStart.Try("TCP statistics", TcpStatistics.Load) : null);
        signals.OnReport(() => Tell(KeeperNotice.Report));
        signals.OnRequest(() =>
        {
            Tell(KeeperNotice.Stop, signals.Reason);
            new Thread(EndLate) { IsBackground = true, Name = "patience" }.Start();
        });
        // Nothing that is allocated for one question lives on.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Halves.ReleaseMemory();
        main.Join();
        var end = Halves.WaitForWorker();
        ended.Set();
        return ExitCodeOf(end);
    }

    private void Serve()
    {
        using var socket = new MessageSocket(Halves.Channel);
        using var desk = new KeeperDesk(host, new Permissions.ForProc());
        desk.Serve(socket);
    }

    private void Tell(KeeperNotice notice, string text = "")
    {
        Span<byte> head = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(head, (uint)notice);
        _ = control.Send(head, Encoding.UTF8.GetBytes(text), []);
    }

    private void EndLate()
    {
        if (!ended.Wait(Patience))
        {
            Log.Error("The worker did not stop", ("seconds", (long)Patience.TotalSeconds));
            host.Dispose();
            Environment.Exit(ExitCode.Failed);
        }
    }

    private static int ExitCodeOf((int? ExitCode, int Signal) end)
    {
        if (end.ExitCode is { } code)
        {
            return code;
        }

        Log.Error("The worker ended before it was asked to", ("signal", end.Signal));
        return ExitCode.Failed;
    }
}
