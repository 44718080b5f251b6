using System.Runtime.CompilerServices;

namespace Beyla.Agent.Tests.Protocols.Redis;

/// <summary>What one side of a connection sent at a time: '&gt;' the client, '&lt;' the server.</summary>
internal readonly record struct RedisStep(char From, byte[] Data);

/// <summary>
/// A recording of a real client and a real server (folder Corpus), and the spans of the commands that the client was told to send. A line
/// is a comment, bytes of one side with \r \n \\ \xNN for those that are no text, or a span: see <see cref="RedisLog"/>.
/// </summary>
internal sealed record RedisCase(string Name, RedisStep[] Steps, string[] Spans)
{
    /// <summary>The recordings.</summary>
    public static IReadOnlyList<RedisCase> All { get; } =
        [.. Directory.GetFiles(Path.Combine(Path.GetDirectoryName(Here())!, "Corpus")).Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>The recording of that name.</summary>
    public static RedisCase Find(string name) => All.Single(c => c.Name == name);

    private static RedisCase Read(string path)
    {
        var lines = File.ReadAllLines(path);
        return new RedisCase(
            Path.GetFileNameWithoutExtension(path),
            [.. lines.Where(l => l[0] is '<' or '>').Select(l => new RedisStep(l[0], Unescape(l[2..])))],
            [.. lines.Where(l => l.StartsWith("= ", StringComparison.Ordinal)).Select(l => l[2..])]);
    }

    private static byte[] Unescape(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Add((byte)text[i]);
                continue;
            }

            i++;
            bytes.Add(text[i] switch
            {
                'r' => (byte)'\r',
                'n' => (byte)'\n',
                'x' => Convert.ToByte(text.Substring(i + 1, 2), 16),
                _ => (byte)text[i],
            });
            i += text[i] == 'x' ? 2 : 0;
        }

        return [.. bytes];
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
