namespace Beyla.Agent.Keeper;

/// <summary>What a process moves and holds, for metrics.</summary>
public sealed partial class KeeperConnection
{
    /// <inheritdoc/>
    public int ReadIo(int pid, Span<byte> target)
    {
        lock (gate)
        {
            return Copy(Ask(new KeeperRequest { Operation = KeeperOperation.ReadIo, Pid = pid }), target);
        }
    }

    /// <inheritdoc/>
    public int CountFiles(int pid) =>
        Call(new KeeperRequest { Operation = KeeperOperation.CountFiles, Pid = pid }) is var reply && reply.Result < 0
            ? reply.Result : (int)reply.Value;
}
