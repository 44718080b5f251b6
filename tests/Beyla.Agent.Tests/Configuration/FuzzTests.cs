using System.Text;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>
/// Mutated files, variables and command lines with a fixed seed: problems and <see cref="ConfigurationException"/>, never anything else.
/// </summary>
public sealed class FuzzTests
{
    private const string Seed = """
        # comment ${HOME}
        open_port: 80,443,8000-8999
        trace_printer: &p text
        log_level: "DEBUG"
        network: {enable: true, cidrs: [10.0.0.0/8, {cidr: 'fd00::/8', name: x}], interfaces: [eth0, /br-.*/], protocols: [TCP]}
        discovery:
          instrument:
            - exe_path: "{*nginx,*[a-z]?}"
              open_ports: [80, 90-99]
            - {cmd_args: '*', languages: go, target_pids: 1}
          exclude_instrument: []
        ebpf:
          http_request_timeout: 1h30m1.5s
          ring_size: 1048576
        attributes: {sensitive_query_params: {add: [a, b], remove: *p}}
        x: |
          literal
        y: !!str 1
        ? z
        : >-
          folded
        """;

    private static readonly string[] Pieces =
        ["[", "]", "{", "}", ":", ": ", "- ", "\n", "\n  ", "&a ", "*a", "!!", "'", "\"", "|", ">", "${", "${A:-", "}", "\t", "\0",
            "\ud800", "%", "---\n", "...\n", "?", "<<: ", "#", ",", "-", "9999999999", "0x", "~", "\\", "\u2028", "\ufeff"];

    [Fact]
    public void Files()
    {
        var random = new Random(20261122);
        for (var round = 0; round < 4_000; round++)
        {
            var text = Mutate(Seed, random);
            var loaded = Loaded.From(text, [("HOME", "/root"), ("A", "b")]);
            Assert.All(loaded.Problems.Concat(loaded.Warnings),
                static line => Assert.DoesNotContain(line, static character => char.IsControl(character)));
        }
    }

    [Fact]
    public void Variables_and_options()
    {
        var random = new Random(20261123);
        var keys = KeyIndex.All.Where(static key => key.Built).ToArray();
        string[] values = ["80,443", "text", "1.5s", "*/x[a-z]{b,c}", "^a(b|c)+$", "10.0.0.0/8,fd00::/8", "/br-/,lo", "TCP,udp", "true",
            "100", "[{open_ports: 80}]", "name:eth0", "::1"];
        for (var round = 0; round < 4_000; round++)
        {
            var key = keys[random.Next(keys.Length)];
            var value = Mutate(values[random.Next(values.Length)], random);
            var arguments = round % 2 == 0 ? new[] { "--set", key.Path + "=" + value } : [Mutate("--open-port", random), value];
            try
            {
                var loaded = Loaded.From("", key.Variables.Count > 0 ? [(key.Variables[0], value)] : [], arguments);
                Assert.All(loaded.Problems, static line => Assert.DoesNotContain(line, static character => char.IsControl(character)));
            }
            catch (ConfigurationException failure)
            {
                Assert.NotEmpty(failure.Problems);
            }
        }
    }

    private static string Mutate(string text, Random random)
    {
        var mutated = new StringBuilder(text);
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            var at = random.Next(mutated.Length + 1);
            switch (random.Next(4))
            {
                case 0:
                    mutated.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 1:
                    mutated.Remove(at, Math.Min(random.Next(8), mutated.Length - at));
                    break;
                case 2 when at < mutated.Length:
                    mutated[at] = (char)random.Next(random.Next(2) == 0 ? 128 : 65536);
                    break;
                default:
                    var from = random.Next(mutated.Length + 1);
                    mutated.Insert(at, mutated.ToString(from, Math.Min(random.Next(40), mutated.Length - from)));
                    break;
            }
        }

        return mutated.ToString();
    }
}
