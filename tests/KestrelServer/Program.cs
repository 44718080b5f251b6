// KestrelServer PORT: the paths of the other test servers on Kestrel. Prints "serving PORT"; ends on SIGTERM.
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

int port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
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
app.MapFallback(() => Results.Text("hello\n"));

await app.StartAsync();
Console.WriteLine($"serving {port}");
await app.WaitForShutdownAsync();
