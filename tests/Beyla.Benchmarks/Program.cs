using Beyla.Benchmarks;

// Usage: Beyla.Benchmarks [suite ...] [--rounds N] [--seconds N] [--record]. Without a suite: all of them.
// Each suite compares with and without the agent in paired, alternating rounds and rewrites its part of docs/benchmarks.md.
var options = BenchmarkOptions.Parse(args);
foreach (var (name, run) in Suites.All)
{
    if (options.Suites.Count > 0 && !options.Suites.Contains(name))
    {
        continue;
    }

    Console.Error.WriteLine($"== {name}");
    var section = run(options);
    Console.WriteLine(section);
    BenchmarkDocument.Replace(name, section);
}
