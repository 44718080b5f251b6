using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Cli;

/// <summary>
/// Everything that ends the agent: SIGINT, SIGTERM and SIGHUP, a used-up limit of processor time, a reader that closed standard output,
/// a parent that is gone. SIGUSR1 asks for a report. What the caller let the agent ignore is <see cref="InheritedSignals"/>' matter.
/// </summary>
internal sealed partial class StopSignals : IDisposable
{
    private const int UserSignal1 = 10; // SIGUSR1 on Linux
    private const int ProcessorTime = 24; // SIGXCPU: the soft RLIMIT_CPU is used up, the hard one kills

    private readonly List<PosixSignalRegistration> registrations = [];
    private readonly ManualResetEventSlim stopped = new();
    private readonly Lock gate = new();
    private readonly Lock reporting = new();
    private Action? onRequest;
    private Action? report;

    /// <param name="withParent">Stop when standard input ends, or when the process that started this one is gone.</param>
    /// <exception cref="KernelException">There is no room for the descriptors of a pipe.</exception>
    public StopSignals(bool withParent)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, (PosixSignal)ProcessorTime])
        {
            Handle(signal, context => Request(
                context.Signal == (PosixSignal)ProcessorTime ? "the limit of processor time is used up" : context.Signal.ToString()));
        }

        Handle((PosixSignal)UserSignal1, _ => Report());
        if (withParent)
        {
            new Thread(WatchParent) { IsBackground = true, Name = "parent" }.Start();
        }
    }

    private void Handle(PosixSignal signal, Action<PosixSignalContext> handler)
    {
        try
        {
            registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                handler(context);
            }));
        }
        catch (TypeInitializationException failure) when (failure.InnerException is IOException)
        {
            // The runtime makes a pipe for all signals at the first one.
            throw new KernelException("make the pipe of signals", Errno.EMFILE);
        }
    }

    /// <summary>What ended the agent.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>
    /// What SIGUSR1 does; null for nothing, and then a report that is under way has ended: what it reads may be disposed.
    /// </summary>
    public void OnReport(Action? action)
    {
        lock (reporting)
        {
            report = action;
        }
    }

    /// <summary>Does what SIGUSR1 does. Any thread.</summary>
    public void Report()
    {
        lock (reporting)
        {
            report?.Invoke();
        }
    }

    /// <summary>What is to be done at the first request; at once when that was already. Any thread.</summary>
    public void OnRequest(Action action)
    {
        lock (gate)
        {
            onRequest += action;
        }

        if (stopped.IsSet)
        {
            action();
        }
    }

    /// <summary>Ends the agent. Further requests change nothing.</summary>
    public void Request(string reason)
    {
        Action? actions;
        lock (gate)
        {
            if (stopped.IsSet)
            {
                return;
            }

            Reason = reason;
            actions = onRequest;
            stopped.Set();
        }

        actions?.Invoke();
    }

    /// <summary>Returns when the agent was asked to end.</summary>
    public void Wait() => stopped.Wait();

    /// <summary>Takes the handlers of the signals away.</summary>
    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        stopped.Dispose();
    }

    /// <summary>The end of standard input tells at once; a parent that gave none is asked for every half second.</summary>
    private unsafe void WatchParent()
    {
        var parent = getppid();
        var readable = true;
        var buffer = stackalloc byte[512];
        while (getppid() == parent)
        {
            var input = new PollDescriptor { Descriptor = readable ? 0 : -1, Events = Poll.In };
            if (Poll.Wait(ref input, 500) > 0 && read(0, buffer, 512) is var n && n <= 0)
            {
                if (n == 0)
                {
                    Request("standard input ended");
                    return;
                }

                readable = false;
            }
        }

        Request("the parent process is gone");
    }

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc")]
    private static unsafe partial nint read(int descriptor, void* buffer, nuint count);
}
