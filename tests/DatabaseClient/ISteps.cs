namespace DatabaseClient;

/// <summary>What a client can do.</summary>
internal interface ISteps : IAsyncDisposable
{
    /// <summary>Does one step.</summary>
    /// <param name="name">Which.</param>
    /// <param name="number">How often or how much.</param>
    Task RunAsync(string name, int number);
}
