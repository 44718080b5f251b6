using System.Runtime.CompilerServices;

namespace Beyla.Agent.Linux;

/// <summary>Name of a task (comm): 16 bytes, zero padded (TASK_COMM_LEN, include/linux/sched.h).</summary>
[InlineArray(16)]
public struct CommandName
{
    private byte first;
}
