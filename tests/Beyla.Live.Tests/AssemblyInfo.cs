using System.Runtime.Versioning;

// One test at a time: each starts an agent and counts exactly what it sees.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: SupportedOSPlatform("linux")]
