using Beyla.Benchmarks;

// Usage: Beyla.Benchmarks [suite ...] [--rounds N] [--seconds N] [--minutes N] [--record]. Without a suite: all but soak.
// Each suite compares with and without the agent in paired, alternating rounds and rewrites its part of docs/benchmarks.md.
var options = BenchmarkOptions.Parse(args);
foreach (var (name, run) in options.Suites.Count == 0
    ? Suites.All : Suites.All.Concat(Suites.Named).Where(suite => options.Suites.Contains(suite.Name)))
{
    Console.Error.WriteLine($"== {name}");
    var section = run(options);
    Console.WriteLine(section);
    BenchmarkDocument.Replace(name, section);
}
