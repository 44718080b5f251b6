using System.Runtime.InteropServices;
using Beyla.Agent.Flows;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Keeper;

/// <summary>What is asked of network observability. Flows lie in shared memory; they are not looked at here.</summary>
public sealed partial class KeeperDesk
{
    private KeeperReply OfFlows(IFlowKernel kernel, in KeeperRequest request)
    {
        switch (request.Operation)
        {
            case KeeperOperation.FlowStart:
                kernel.Start();
                return default;
            case KeeperOperation.FlowDetach:
                kernel.Detach();
                return default;
            case KeeperOperation.FlowSwap:
                kernel.Swap();
                return default;
            case KeeperOperation.FlowRead:
                var batch = (FlowBatch)request.Number;
                var more = kernel.ReadBatch((batch & FlowBatch.Remove) != 0, (batch & FlowBatch.First) != 0, out var count);
                return new KeeperReply { Result = more ? 1 : 0, Value = count };
            case KeeperOperation.FlowOwners when request.Number is >= 0 and <= FlowExchange.Capacity:
                kernel.FindOwners(request.Number);
                return default;
            case KeeperOperation.FlowWalk:
                kernel.WalkSockets();
                return default;
            case KeeperOperation.FlowCount:
                MemoryMarshal.Write(text, kernel.Count());
                return Told(Marshal.SizeOf<FlowCounters>());
            case KeeperOperation.FlowState:
                return Said(kernel.Source) with { Value = kernel.InterfaceCount };
            default:
                return Refusal(Errno.EINVAL);
        }
    }
}
