using System.Text.RegularExpressions;
using Beyla.Live.Tests.Export;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Command;

/// <summary><c>./build.sh demo</c>, after its build, as somebody at a terminal sees it. It checks its counts itself.</summary>
public sealed partial class DemoTests
{
    [LiveFact("perl", "php", "node", "python3", "curl", "script", "aspire", "chromium", "chromedriver")]
    public async Task It_ends_with_a_trace_and_a_metric_in_the_dashboard()
    {
        using TempDirectory files = new();
        await using ChildProcess demo = ChildProcess.Start(
            Tool.Find("script"), ["-qefc", $"bash {Repository.Root}/tests/demo.sh", Path.Combine(files.Path, "typescript")]);
        Assert.True(
            await Wait.UntilAsync(
                () => demo.HasExited || demo.Output.Contains("until you press Enter", StringComparison.Ordinal), Wait.Hang),
            demo.Output);
        Assert.False(demo.HasExited, demo.Output);
        string[] pages = [.. Page().Matches(demo.Output).Select(static page => page.Value)];
        Assert.Equal(2, pages.Length);
        await using (Browser browser = await Browser.StartAsync())
        {
            await browser.OpenAsync(pages[0], "supplier");
            await browser.OpenAsync(pages[1], "/item/kettle");
            await browser.PictureAsync("demo-metric");
        }

        demo.WriteLine("");
        Assert.True(await demo.WaitForExitAsync(Wait.Hang) == 0, demo.Output);
        await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            using HttpClient client = new();
            await client.GetAsync(new Uri(pages[0]));
        });
    }

    /// <summary>Without a terminal nobody can press a key.</summary>
    [LiveFact("perl", "php", "node", "python3", "curl")]
    public async Task Without_a_terminal_it_ends_by_itself()
    {
        await using ChildProcess demo = ChildProcess.Start("/bin/bash", [Path.Combine(Repository.Root, "tests/demo.sh")]);
        Assert.True(await demo.WaitForExitAsync(Wait.Hang) == 0, demo.Output + demo.Errors);
        Assert.Contains("20 requests were sent to shop; 20 spans of it as a server were seen", demo.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("press Enter", demo.Output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/(traces|metrics)/[^\s]+")]
    private static partial Regex Page();
}
