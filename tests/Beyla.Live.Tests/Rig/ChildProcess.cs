using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Beyla.Live.Tests.Rig;

/// <summary>A process that a test started. Its output is collected line by line; it ends, with all that it started, when this is disposed.</summary>
internal partial class ChildProcess : IAsyncDisposable
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _readErrors;
    private Task _readOutput = Task.CompletedTask;

    protected ChildProcess(Process process)
    {
        _process = process;
        _readErrors = Read(process.StandardError, ReadErrors);
    }

    public int Pid => _process.Id;

    public string Name => Path.GetFileName(_process.StartInfo.FileName);

    public bool HasExited => _process.HasExited;

    /// <summary>What it wrote to standard output so far.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>What it wrote to standard error so far.</summary>
    public string Errors => string.Join('\n', _errors);

    public IEnumerable<string> ErrorLines => _errors;

    /// <summary>Starts a process with exactly this environment besides PATH and HOME.</summary>
    public static ChildProcess Start(string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        ChildProcess child = new(StartProcess(file, arguments, environment));
        child.ReadOutput();
        return child;
    }

    protected static Process StartProcess(string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        string? home = Environment.GetEnvironmentVariable("HOME");
        string? dotnet = Environment.GetEnvironmentVariable("DOTNET_ROOT");
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = home;
        if (dotnet is not null)
            start.Environment["DOTNET_ROOT"] = dotnet;
        foreach ((string name, string value) in environment ?? [])
            start.Environment[name] = value;
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException($"{file} was not started.");
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{file} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Begins to read standard output; for a process whose output was not read from the start.</summary>
    public void ReadOutput() => _readOutput = Read(_process.StandardOutput, ReadLines);

    /// <summary>Closes this side of the process's standard output.</summary>
    public void CloseOutput() => _process.StandardOutput.Close();

    /// <summary>Ends the process's standard input.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Takes all of standard output, on a thread of its own.</summary>
    protected virtual void ReadLines(StreamReader output)
    {
        while (output.ReadLine() is { } line)
            _output.Enqueue(line);
    }

    /// <summary>A line of standard error; called on the reading thread.</summary>
    protected virtual void OnError(string line) => _errors.Enqueue(line);

    public void Signal(int signal)
    {
        if (Kill(Pid, signal) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"Signal {signal} to {Name} ({Pid}): {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Waits for the end of the process and of its output.</summary>
    /// <returns>The exit status; 128 + signal where a signal ended it.</returns>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        using CancellationTokenSource expired = new(timeout);
        try
        {
            await _process.WaitForExitAsync(expired.Token);
            await Task.WhenAll(_readErrors, _readOutput).WaitAsync(TimeSpan.FromSeconds(5));
            return _process.ExitCode;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            throw new TimeoutException($"{Name} ({Pid}) did not end within {timeout.TotalSeconds} s. {Errors}", e);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        GC.SuppressFinalize(this);
    }

    private void ReadErrors(StreamReader errors)
    {
        while (errors.ReadLine() is { } line)
            OnError(line);
    }

    private static Task Read(StreamReader reader, Action<StreamReader> take) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                take(reader);
            }
            catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException or IOException or OperationCanceledException)
            {
                // The test is over and closed the pipe.
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
