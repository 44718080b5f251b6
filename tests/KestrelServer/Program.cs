// KestrelServer PORT [BACKEND [template]]: the paths of the other test servers on Kestrel, and those of nested.py (GET /in/ID calls the
// backend by HttpClient; POST /in/ID posts its body there). "template" logs as a service made from the template does, with which .NET gives
// each request an Activity and each call a traceparent. Prints "serving PORT"; ends on SIGTERM.
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

int port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
if (args is [_, _, "template"])
{
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
}
else
{
    builder.Logging.ClearProviders();
}

builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(port));
WebApplication app = builder.Build();

app.MapGet("/sleep/{milliseconds:int}", async (int milliseconds) =>
{
    // Task.Delay counts ticks of a coarse clock, of up to 4 ms each, and may end one of them early.
    for (long start = Stopwatch.GetTimestamp(); ;)
    {
        TimeSpan left = TimeSpan.FromMilliseconds(milliseconds) - Stopwatch.GetElapsedTime(start);
        if (left <= TimeSpan.Zero)
        {
            break;
        }

        await Task.Delay((int)Math.Ceiling(left.TotalMilliseconds));
    }

    return Results.Text("slept\n");
});
app.MapGet("/status/{code:int}", (int code) => Results.Text("status\n", statusCode: code));
app.MapGet("/chunked/{count:int}", async (int count, HttpResponse response) =>
{
    for (int i = 0; i < count; i++)
    {
        await response.WriteAsync("chunk\n");
        await response.Body.FlushAsync();
    }
});
app.MapPost("/upload", async (HttpRequest request) =>
{
    long length = 0;
    byte[] buffer = new byte[65536];
    for (int read; (read = await request.Body.ReadAsync(buffer)) > 0;)
    {
        length += read;
    }

    return Results.Text($"{length}\n");
});
if (args.Length > 1)
{
    HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{args[1]}") };
    app.MapGet("/in/{number:int}", async (int number, HttpRequest request) =>
    {
        string mode = request.QueryString.Value ?? "";
        if (mode == "?before")
        {
            await Task.Delay(number % 7);
        }

        if (mode == "?two")
        {
            await client.GetStringAsync($"/out/{number}/1");
        }

        string body = await client.GetStringAsync(mode == "?two" ? $"/out/{number}/2" : $"/out/{number}");
        if (mode == "?after")
        {
            await Task.Delay(number % 7);
        }

        return Results.Text(body);
    });
    app.MapPost("/in/{number:int}", async (int number, HttpRequest request) =>
    {
        using MemoryStream body = new();
        await request.Body.CopyToAsync(body);
        using HttpRequestMessage call = new(HttpMethod.Post, $"/out/{number}") { Content = new ByteArrayContent(body.ToArray()) };
        call.Headers.ConnectionClose = Environment.GetEnvironmentVariable("CLOSE") == "1";
        using HttpResponseMessage response = await client.SendAsync(call);
        return Results.Bytes(await response.Content.ReadAsByteArrayAsync());
    });
}

app.MapFallback(() => Results.Text("hello\n"));

await app.StartAsync();
Console.WriteLine($"serving {port}");
await app.WaitForShutdownAsync();
