using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;

namespace Beyla.Cli;

/// <summary>The thread of the keeper that has the flow programs: follows the interfaces, and answers the worker until that ends.</summary>
internal sealed class FlowDesk : IDisposable
{
    private readonly MessageSocket socket;
    private readonly Thread thread;

    /// <param name="host">For the desk.</param>
    /// <param name="flows">Taken over.</param>
    public FlowDesk(IKeeperHost host, FlowKeeper flows)
    {
        (socket, Other) = MessageSocket.CreatePair();
        Facts = new FlowFacts
        {
            KnowsProcesses = flows.KnowsProcesses ? 1u : 0u, ProcessRefusal = flows.ProcessRefusal, OverflowRing = flows.OverflowSize,
        };
        (Ring, Exchange) = (flows.OverflowDescriptor, flows.Exchange.FileDescriptor);
        thread = new Thread(() => Serve(host, flows), KeeperHost.DeskStack) { IsBackground = true, Name = "flows" };
        thread.Start();
    }

    /// <summary>What is there.</summary>
    public FlowFacts Facts { get; }

    /// <summary>The worker's end.</summary>
    public MessageSocket Other { get; }

    /// <summary>The ring of packets that found no room, and the shared memory: descriptors that stay the programs'.</summary>
    public int Ring { get; }

    /// <inheritdoc cref="Ring"/>
    public int Exchange { get; }

    /// <summary>Returns when everything is off the kernel.</summary>
    public void Dispose()
    {
        // Also where the worker still has its end, and stands still.
        socket.Shutdown();
        Other.Dispose();
        thread.Join();
        socket.Dispose();
    }

    private void Serve(IKeeperHost host, FlowKeeper flows)
    {
        using var taken = flows;
        using var desk = new KeeperDesk(host, new Permissions.ForProc(), flows);
        Span<PollDescriptor> wanted = stackalloc PollDescriptor[2];
        const long never = long.MaxValue;
        var due = never;
        while (true)
        {
            wanted[0] = new PollDescriptor { Descriptor = socket.FileDescriptor, Events = Poll.In };
            wanted[1] = new PollDescriptor { Descriptor = flows.FileDescriptor, Events = Poll.In };
            var wait = due == never ? -1 : (int)Math.Clamp(due - Environment.TickCount64, 0, int.MaxValue);
            var ready = Poll.Wait(wanted, wait);
            if (ready > 0 && wanted[0].Returned != 0 && !desk.AnswerOne(socket))
            {
                return;
            }

            // What was answered may have been the start, from which on it wants to be called.
            var now = Environment.TickCount64;
            if (now >= due || due == never || (ready > 0 && wanted[1].Returned != 0))
            {
                due = flows.Follow() is >= 0 and var milliseconds ? now + milliseconds : never;
            }
        }
    }
}
