using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Beyla.Live.Tests.Rig;

/// <summary>
/// A process that a test started. Its output is collected line by line; it ends, with all that it started, when this is disposed.
/// </summary>
internal partial class ChildProcess : IAsyncDisposable
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentQueue<string> errors = new();
    private readonly Task readErrors;
    private Task readOutput = Task.CompletedTask;

    protected ChildProcess(Process process)
    {
        this.process = process;
        readErrors = Read(process.StandardError, ReadErrors);
    }

    public int Pid => this.process.Id;

    public string Name => Path.GetFileName(this.process.StartInfo.FileName);

    public bool HasExited => this.process.HasExited;

    /// <summary>What it wrote to standard output so far.</summary>
    public string Output => string.Join('\n', this.output);

    /// <summary>What it wrote to standard error so far.</summary>
    public string Errors => string.Join('\n', this.errors);

    public IEnumerable<string> OutputLines => this.output;

    public IEnumerable<string> ErrorLines => this.errors;

    /// <summary>Starts a process with exactly this environment besides PATH and HOME.</summary>
    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        ChildProcess child = new(StartProcess(file, arguments, environment));
        child.ReadOutput();
        return child;
    }

    protected static Process StartProcess(
        string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        string? home = Environment.GetEnvironmentVariable("HOME");
        string? dotnet = Environment.GetEnvironmentVariable("DOTNET_ROOT");
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = home;
        if (dotnet is not null)
        {
            start.Environment["DOTNET_ROOT"] = dotnet;
        }

        foreach ((string name, string value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

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
    public void ReadOutput() => readOutput = Read(this.process.StandardOutput, ReadLines);

    /// <summary>Closes this side of the process's standard output.</summary>
    public void CloseOutput() => this.process.StandardOutput.Close();

    /// <summary>Writes a line to the process's standard input.</summary>
    public void WriteLine(string line) => this.process.StandardInput.WriteLine(line);

    /// <summary>Ends the process's standard input.</summary>
    public void CloseInput() => this.process.StandardInput.Close();

    /// <summary>Takes all of standard output, on a thread of its own.</summary>
    protected virtual void ReadLines(StreamReader output)
    {
        while (output.ReadLine() is { } line)
        {
            this.output.Enqueue(line);
        }
    }

    /// <summary>A line of standard error; called on the reading thread.</summary>
    protected virtual void OnError(string line) => this.errors.Enqueue(line);

    public void Signal(int signal) => Signal(Pid, signal);

    protected static void Signal(int pid, int signal)
    {
        if (Kill(pid, signal) != 0)
        {
            throw new Win32Exception(
                Marshal.GetLastPInvokeError(), $"Signal {signal} to process {pid}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Waits for the end of the process and of its output.</summary>
    /// <returns>The exit status; 128 + signal where a signal ended it.</returns>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        using CancellationTokenSource expired = new(timeout);
        try
        {
            await this.process.WaitForExitAsync(expired.Token);
            await Task.WhenAll(readErrors, readOutput).WaitAsync(TimeSpan.FromSeconds(5));
            return this.process.ExitCode;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            throw new TimeoutException($"{Name} ({Pid}) did not end within {timeout.TotalSeconds} s. {Errors}", e);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (!this.process.HasExited)
        {
            this.process.Kill(entireProcessTree: true);
            await this.process.WaitForExitAsync();
        }

        this.process.Dispose();
        GC.SuppressFinalize(this);
    }

    private void ReadErrors(StreamReader errors)
    {
        while (errors.ReadLine() is { } line)
        {
            OnError(line);
        }
    }

    private static Task Read(StreamReader reader, Action<StreamReader> take) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                take(reader);
            }
            catch (Exception e)
                when (e is ObjectDisposedException or InvalidOperationException or IOException or OperationCanceledException)
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
