using Npgsql;

namespace DatabaseClient;

/// <summary>
/// Npgsql on one connection, which loads no types when it opens: everything that it sends is asked for here. All by the extended protocol.
/// </summary>
internal sealed class NpgsqlSteps(int port) : ISteps
{
    private readonly NpgsqlConnection connection = new(
        $"Host=127.0.0.1;Port={port};Database=shop;Username=postgres;SSL Mode=Disable;Pooling=false;"
        + "Server Compatibility Mode=NoTypeLoading");

    private NpgsqlCommand? prepared;

    public async Task RunAsync(string name, int number)
    {
        switch (name)
        {
            case "connect":
                await connection.OpenAsync();
                break;
            case "extended":
                for (int i = 0; i < number; i++)
                {
                    await using NpgsqlCommand command = new("SELECT price FROM item WHERE id = $1", connection);
                    command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = i % 100 + 1 });
                    Check((i % 100 + 1) * 10, await command.ExecuteScalarAsync());
                }

                break;
            case "prepare":
                await PrepareAsync();
                break;
            case "prepared":
                for (int i = 0; i < number; i++)
                {
                    prepared!.Parameters[0].Value = i % 100 + 1;
                    Check($"item {i % 100 + 1}", await prepared.ExecuteScalarAsync());
                }

                break;
            case "batch":
                await BatchAsync(number);
                break;
            case "failing":
                await FailingBatchAsync();
                break;
            case "copy-in":
                await CopyAsync(number);
                break;
            default:
                throw new ArgumentException(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (prepared is not null)
        {
            await prepared.DisposeAsync();
        }

        await connection.DisposeAsync();
    }

    private async Task PrepareAsync()
    {
        prepared = new NpgsqlCommand("SELECT name FROM item WHERE id = $1", connection);
        prepared.Parameters.Add(new NpgsqlParameter<int> { TypedValue = 1 });
        await prepared.PrepareAsync();
    }

    /// <summary>One send with one Sync: so many statements.</summary>
    private async Task BatchAsync(int number)
    {
        await using NpgsqlBatch batch = new(connection);
        for (int i = 0; i < number; i++)
        {
            NpgsqlBatchCommand command = new("UPDATE item SET price = price WHERE id = $1");
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = i + 1 });
            batch.BatchCommands.Add(command);
        }

        Console.WriteLine(await batch.ExecuteNonQueryAsync());
    }

    private async Task CopyAsync(int rows)
    {
        await using NpgsqlBinaryImporter writer = await connection.BeginBinaryImportAsync("COPY copied FROM STDIN (FORMAT BINARY)");
        for (int i = 0; i < rows; i++)
        {
            await writer.StartRowAsync();
            await writer.WriteAsync(i);
            await writer.WriteAsync($"name {i}");
        }

        Console.WriteLine(await writer.CompleteAsync());
    }

    /// <summary>Five statements in one send; the third fails and the server passes over the rest.</summary>
    private async Task FailingBatchAsync()
    {
        await using NpgsqlBatch batch = new(connection);
        foreach (int divisor in new[] { 1, 2, 0, 4, 5 })
        {
            NpgsqlBatchCommand command = new("SELECT 100 / $1");
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = divisor });
            batch.BatchCommands.Add(command);
        }

        try
        {
            await batch.ExecuteNonQueryAsync();
            Console.WriteLine("no error");
        }
        catch (PostgresException e)
        {
            Console.WriteLine(e.SqlState);
        }
    }

    private static void Check(object expected, object? actual)
    {
        if (!expected.Equals(actual))
        {
            throw new InvalidOperationException($"Expected {expected}, got {actual}.");
        }
    }
}
