// DatabaseClient npgsql|redis PORT: does a step for each line that it reads, and writes "done" after each.
using System.Globalization;
using DatabaseClient;

int port = int.Parse(args[1], CultureInfo.InvariantCulture);
await using ISteps steps = args[0] == "npgsql" ? new NpgsqlSteps(port) : new RedisSteps(port);
Console.WriteLine("done");
while (Console.ReadLine() is { } line)
{
    string[] words = line.Split(' ');
    await steps.RunAsync(words[0], words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : 0);
    Console.WriteLine("done");
}
