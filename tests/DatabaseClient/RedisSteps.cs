using StackExchange.Redis;

namespace DatabaseClient;

/// <summary>StackExchange.Redis, which multiplexes all callers over one connection and has another one for subscriptions.</summary>
internal sealed class RedisSteps(int port) : ISteps
{
    private ConnectionMultiplexer? multiplexer;

    private IDatabase Database => multiplexer!.GetDatabase();

    public async Task RunAsync(string name, int number)
    {
        switch (name)
        {
            case "connect":
                multiplexer = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},abortConnect=true");
                break;
            case "set":
                await Task.WhenAll(Enumerable.Range(0, number).Select(i => Database.StringSetAsync($"key:{i}", $"value {i}")));
                break;
            case "get":
                for (int i = 0; i < number; i++)
                {
                    if (await Database.StringGetAsync($"key:{i}") != $"value {i}")
                    {
                        throw new InvalidOperationException($"key:{i} has another value.");
                    }
                }

                break;
            case "transaction":
                ITransaction transaction = Database.CreateTransaction();
                Task<long> last = transaction.StringIncrementAsync("counter");
                Console.WriteLine(await transaction.ExecuteAsync());
                Console.WriteLine(await last);
                break;
            default:
                throw new ArgumentException(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (multiplexer is not null)
        {
            await multiplexer.DisposeAsync();
        }
    }
}
