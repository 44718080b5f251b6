using Beyla.Agent.Capabilities;
using Beyla.Agent.Linux;
using Beyla.Cli;

StandardDescriptors.Ensure();
InheritedSignals.Reset();

// Before anything starts a thread or reads what the caller gave: no capability is effective from here on.
return Halves.Own == Role.Worker
    ? WorkerProcess.Run(args)
    : Entry.Run(args, () => Privilege.Initialize(CapabilityCheck.Possible));
