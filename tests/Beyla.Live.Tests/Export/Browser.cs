using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Export;

/// <summary>
/// Debian's Chromium without a screen, driven by its own driver (W3C WebDriver). It needs <c>chromium</c> and <c>chromedriver</c>. For
/// pictures of pages that are made by scripts.
/// </summary>
internal sealed class Browser : IAsyncDisposable
{
    private readonly ChildProcess driver;
    private readonly TempDirectory files;
    private readonly HttpClient client;
    private string session = "";

    private Browser(ChildProcess driver, TempDirectory files, int port)
    {
        this.driver = driver;
        this.files = files;
        this.client = new HttpClient
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")), Timeout = Wait.Hang,
        };
    }

    /// <summary>Starts the driver and a browser of this size in pixels.</summary>
    public static async Task<Browser> StartAsync(int width = 1400, int height = 900)
    {
        TempDirectory files = new();
        int port = FreePort.Next();
        ChildProcess driver = ChildProcess.Start(
            Tool.Find("chromedriver"), [string.Create(CultureInfo.InvariantCulture, $"--port={port}")],
            [new("HOME", files.Path), new("TMPDIR", files.Path)]);
        Browser browser = new(driver, files, port);
        try
        {
            await Wait.ForPortAsync("127.0.0.1", port, driver);
            string[] arguments =
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-breakpad", "--hide-scrollbars",
                string.Create(CultureInfo.InvariantCulture, $"--window-size={width},{height}"), $"--user-data-dir={files.Path}/profile",
            ];
            JsonElement answer = await AskAsync(browser.client, HttpMethod.Post, "/session", new Dictionary<string, object>
            {
                ["capabilities"] = new Dictionary<string, object>
                {
                    ["alwaysMatch"] = new Dictionary<string, object>
                    {
                        ["goog:chromeOptions"] = new { args = arguments, binary = Tool.Find("chromium") },
                    },
                },
            });
            browser.session = $"/session/{answer.GetProperty("sessionId").GetString()}";
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a page and waits until it shows a text.</summary>
    public async Task OpenAsync(string url, string text)
    {
        await AskAsync(this.client, HttpMethod.Post, $"{this.session}/url", new { url });
        long end = Environment.TickCount64 + (long)Wait.Hang.TotalMilliseconds;
        string shown = await TextAsync();
        for (; !shown.Contains(text, StringComparison.Ordinal); shown = await TextAsync())
        {
            Assert.True(Environment.TickCount64 < end, $"{url} does not show '{text}' but: {shown}");
            await Task.Delay(100);
        }
    }

    /// <summary>What the page shows, as text.</summary>
    public async Task<string> TextAsync() => (await AskAsync(
        this.client, HttpMethod.Post, $"{this.session}/execute/sync",
        new { script = "return document.body ? document.body.innerText : ''", args = Array.Empty<string>() })).GetString()!;

    /// <summary>Keeps a picture of the page as <c>out/artifacts/NAME.png</c>.</summary>
    /// <returns>The file.</returns>
    public async Task<string> PictureAsync(string name)
    {
        string file = Repository.Artifact(name + ".png");
        JsonElement picture = await AskAsync(this.client, HttpMethod.Get, $"{this.session}/screenshot", null);
        await File.WriteAllBytesAsync(file, picture.GetBytesFromBase64());
        return file;
    }

    public async ValueTask DisposeAsync()
    {
        if (this.session.Length > 0 && !this.driver.HasExited)
        {
            // The driver waits for the browser's end; its helpers are not all among its children.
            await AskAsync(this.client, HttpMethod.Delete, this.session, null);
        }

        this.client.Dispose();
        await this.driver.DisposeAsync();
        this.files.Dispose();
    }

    private static async Task<JsonElement> AskAsync(HttpClient client, HttpMethod method, string path, object? body)
    {
        using HttpRequestMessage request = new(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        if (request.Content is { } content)
        {
            // The driver wants to know the length.
            await content.LoadIntoBufferAsync();
        }

        using HttpResponseMessage response = await client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("value");
    }
}
