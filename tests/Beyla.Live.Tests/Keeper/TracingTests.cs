using System.Globalization;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// Nobody with the rights of the caller traces one of the two, at no moment from execve on (ptrace(2), "Ptrace access mode checking").
/// </summary>
public sealed class TracingTests
{
    private static readonly string[] User = ["--reuid=1234", "--regid=1234", "--clear-groups", "--inh-caps=-all"];

    [LiveFact("gcc", "setcap", "setpriv")]
    public async Task An_agent_with_file_capabilities_is_never_traced_by_its_caller()
    {
        using TempDirectory directory = new();
        string copy = Path.Combine(directory.Path, "halves");
        File.Copy(await Halves.Program, copy);
        await Tool.RunAsync("setcap", "cap_bpf,cap_perfmon=p", copy);
        (long keeper, long worker, long succeeded) = await AttackAsync(200, copy, "--pid=1");

        // More than one a start: of the moments of a start, many were tried.
        Assert.InRange(keeper, 201, long.MaxValue);
        Assert.InRange(worker, 201, long.MaxValue);
        Assert.Equal(0, succeeded);
    }

    /// <summary>The attack is one: it works on a program of the same user that does nothing against it.</summary>
    [LiveFact("gcc", "setpriv", "sleep")]
    public async Task Another_program_is_traced_each_time()
    {
        (_, _, long succeeded) = await AttackAsync(20, Tool.Find("sleep"), "0.05");
        Assert.Equal(20, succeeded);
    }

    private static async Task<(long Keeper, long Worker, long Succeeded)> AttackAsync(int rounds, params string[] command)
    {
        string attach = await NativeProgram.BuildAsync("attach");
        string[] numbers = (await Tool.RunAsync("setpriv", [.. User, attach, $"{rounds}", "0", .. command])).Split(' ');
        long Number(int i) => long.Parse(numbers[i], CultureInfo.InvariantCulture);
        return (Number(0), Number(1), Number(2));
    }
}
