using Beyla.Agent.Capabilities;
using Beyla.Agent.Kernel;
using Beyla.Cli;

StandardDescriptors.Ensure();

// Before anything starts a thread or reads what the caller gave: no capability is effective from here on.
var holding = Privilege.Initialize(CapabilityCheck.Possible);
return Entry.Run(args, holding);
