using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Kernel;
using Beyla.Agent.Linux;
using Beyla.Agent.Processes;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Processes;

/// <summary>Service name and namespace.</summary>
public sealed class IdentityTests
{
    [Theory]
    [InlineData("service.name=shop,service.namespace=eu", "shop", "eu")]
    [InlineData(" service.name = shop , x=y", "shop", null)]
    [InlineData("service.name=a%20b%2Cc%3D%C3%A9", "a b,c=é", null)]
    [InlineData("service.name=\"quoted\"", "quoted", null)]
    [InlineData("service.name=first,service.name=second", "second", null)]
    [InlineData("service.name=bad%2,service.namespace=eu", null, "eu")]
    [InlineData("service.name=bad%zz", null, null)]
    [InlineData("service.name=%ff%fe", null, null)]
    [InlineData("service.name=,service.namespace=", null, null)]
    [InlineData("xservice.name=a,service.names=b,=c,service.name", null, null)]
    [InlineData(",,,service.name=a=b,,", "a=b", null)]
    [InlineData("", null, null)]
    public void Resource_attributes_name_the_service(string attributes, string? name, string? nameSpace)
    {
        var bytes = Encoding.UTF8.GetBytes(attributes);
        Assert.Equal(name, ResourceAttributes.Find(bytes, "service.name"u8));
        Assert.Equal(nameSpace, ResourceAttributes.Find(bytes, "service.namespace"u8));
    }

    [Theory]
    [InlineData("OTEL_SERVICE_NAME=own|OTEL_RESOURCE_ATTRIBUTES=service.name=attribute,service.namespace=eu", "own", "eu")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=service.name=attribute", "attribute", "ruleNs")]
    [InlineData("OTEL_SERVICE_NAME=|OTEL_RESOURCE_ATTRIBUTES=service.name=attribute", "attribute", "ruleNs")]
    [InlineData("OTEL_SERVICE_NAME=first|OTEL_SERVICE_NAME=second", "first", "ruleNs")]
    [InlineData("XOTEL_SERVICE_NAME=x|PATH=/bin", "rule", "ruleNs")]
    public void The_process_names_itself_before_the_rule_does(string environment, string name, string nameSpace)
    {
        using var rig = new TableRig(
            [TableRig.Exe("*", "rule") with { ServiceNamespace = "ruleNs" }], options: new ProcessTableOptions { ServiceName = "default" });
        rig.Proc.Add(10, "/srv/web", environment.Split('|'));
        rig.Table.Start();
        Assert.Equal((name, nameSpace), (rig.Table.Find(10, 0)!.ServiceName, rig.Table.Find(10, 0)!.ServiceNamespace));
    }

    /// <summary>As in Grafana Beyla: entries are alternatives, and later ones override what leaves.</summary>
    [Fact]
    public void What_leaves_and_its_routes_are_those_of_the_last_rule_that_fits_and_says_so()
    {
        ServiceRoutes first = new(["/a"], []), last = new([], ["/b"]);
        SelectionRule[] rules =
        [
            TableRig.Exe("*") with { Exports = ExportedSignals.Metrics, Routes = first, Features = ["application_span", "network"] },
            TableRig.Exe("/srv/web") with { Exports = ExportedSignals.None },
            TableRig.Exe("/srv/w*") with { Routes = last },
        ];
        using var rig = new TableRig(rules);
        rig.Proc.Add(10, "/srv/web").Add(11, "/srv/other");
        rig.Table.Start();
        Assert.Equal((ExportedSignals.None, last), (rig.Table.Find(10, 0)!.Exports, rig.Table.Find(10, 0)!.Routes));
        Assert.Equal((ExportedSignals.Metrics, first), (rig.Table.Find(11, 0)!.Exports, rig.Table.Find(11, 0)!.Routes));
        Assert.Equal(MetricFeatures.ApplicationSpan, rig.Table.Find(11, 0)!.Features);
        using var plain = new TableRig([TableRig.Exe("*")]);
        plain.Proc.Add(10, "/srv/web");
        plain.Table.Start();
        Assert.Equal((ExportedSignals.All, null), (plain.Table.Find(10, 0)!.Exports, plain.Table.Find(10, 0)!.Routes));
    }

    [Fact]
    public void Without_a_name_in_the_rule_comes_another_rule_then_the_default_then_the_file()
    {
        SelectionRule[] rules = [TableRig.Exe("*"), TableRig.Exe("/srv/web", "named")];
        using var rig = new TableRig(rules, options: new ProcessTableOptions { ServiceName = "default", ServiceNamespace = "ns" });
        rig.Proc.Add(10, "/srv/web").Add(11, "/srv/other");
        rig.Table.Start();
        Assert.Equal(("named", "ns"), (rig.Table.Find(10, 0)!.ServiceName, rig.Table.Find(10, 0)!.ServiceNamespace));
        Assert.Equal("default", rig.Table.Find(11, 0)!.ServiceName);
        using var plain = new TableRig(rules);
        plain.Proc.Add(11, "/srv/other (deleted)");
        plain.Table.Start();
        Assert.Equal(("other", "", "/srv/other"),
            (plain.Table.Find(11, 0)!.ServiceName, plain.Table.Find(11, 0)!.ServiceNamespace, plain.Table.Find(11, 0)!.Executable));
        Assert.Equal("other", Assert.Single(plain.SelectedLog).ServiceName);
    }

    [Fact]
    public void Names_are_cut_and_giant_variables_are_left_out()
    {
        using var rig = new TableRig([TableRig.Exe("*")]);
        rig.Proc.Add(10, environment: ["BIG=" + new string('x', 300_000), "OTEL_SERVICE_NAME=" + new string('n', 1000)])
            .Add(11, environment: ["OTEL_SERVICE_NAME=" + new string('n', 100_000)])
            .Add(12, environment: ["OTEL_SERVICE_NAME=" + new string('n', 255) + "😀"])
            .Add(13, environment: ["OTEL_SERVICE_NAME=\u001b[31m\u0001"]);
        File.WriteAllBytes(rig.Proc[13, "cmdline"], [0, 0, 0]);
        rig.Table.Start();
        Assert.Equal(new string('n', 256), rig.Table.Find(10, 0)!.ServiceName);
        Assert.Equal("app", rig.Table.Find(11, 0)!.ServiceName);
        Assert.Equal(new string('n', 255), rig.Table.Find(12, 0)!.ServiceName);
        Assert.Equal("\u001b[31m\u0001", rig.Table.Find(13, 0)!.ServiceName);
    }

    /// <summary>
    /// nginx writes the title that ps shows over its environment: by the time it is looked at, the name is gone from /proc.
    /// </summary>
    [Theory]
    [InlineData("OTEL_SERVICE_NAME=edge|OTEL_RESOURCE_ATTRIBUTES=service.namespace=eu", "edge", "eu")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=service.name=edge", "edge", "")]
    [InlineData("", "web", "")]
    public void What_was_seen_at_execve_comes_before_what_proc_shows(string seen, string name, string nameSpace)
    {
        using var rig = new TableRig([TableRig.Exe("*")], options: new ProcessTableOptions
        {
            StartedWith = pid => pid == 10
                ? Encoding.UTF8.GetBytes(string.Concat(seen.Split('|').Select(static text => text + "\0"))) : null,
        });
        rig.Proc.Add(10, "/srv/web", ["OTEL_SERVICE_NAME=later"]).Add(11, "/srv/web", ["OTEL_SERVICE_NAME=own"]);
        rig.Table.Start();
        Assert.Equal((name, nameSpace), (rig.Table.Find(10, 0)!.ServiceName, rig.Table.Find(10, 0)!.ServiceNamespace));
        Assert.Equal("own", rig.Table.Find(11, 0)!.ServiceName);
    }

    [Fact]
    public void A_name_that_cannot_be_known_is_told_once_for_each_executable()
    {
        List<string> told = [];
        using var rig = new TableRig(
            [TableRig.Exe("/srv/*")], options: new ProcessTableOptions { NameHidden = told.Add, StartsSeenFrom = 5000 });
        rig.Proc.Add(10, "/srv/titled", ["cess /srv/titled -c x=y", "ATH=/bin"])
            .Add(11, "/srv/titled", ["", "", ""] /* nothing but zeros */)
            .Add(12, "/srv/other", ["g: worker=1 process"]).Add(13, "/srv/plain", ["PATH=/bin", "odd"]).Add(14, "/srv/bare")
            .Add(15, "/srv/watched", ["a title"], start: 5000);
        rig.Table.Start();
        Assert.Equal(["/srv/other", "/srv/titled"], told.Order());
        Assert.Equal("titled", rig.Table.Find(11, 0)!.ServiceName);
    }

    [Fact]
    public void What_the_kernel_side_keeps_is_an_environment()
    {
        StartedNames.Variables kept = default;
        Assert.Equal("", Text(kept));
        Write(ref kept);
        kept.NameState = kept.AttributesState = StartedNames.State.Whole;
        Assert.Equal("OTEL_SERVICE_NAME=a\0OTEL_RESOURCE_ATTRIBUTES=service.name=b\0", Text(kept));
        kept.NameState = StartedNames.State.Absent;
        Assert.Equal("OTEL_RESOURCE_ATTRIBUTES=service.name=b\0", Text(kept));
        kept.NameState = StartedNames.State.TooLong;
        Assert.Equal(-Errno.ENODATA, StartedNames.TextOf(kept, new byte[StartedNames.MaximumText]));

        static string Text(in StartedNames.Variables variables)
        {
            var text = new byte[StartedNames.MaximumText];
            return Encoding.UTF8.GetString(text, 0, StartedNames.TextOf(in variables, text));
        }

        static unsafe void Write(ref StartedNames.Variables variables)
        {
            fixed (byte* name = variables.Name, attributes = variables.Attributes)
            {
                "OTEL_SERVICE_NAME=a\0old"u8.CopyTo(new Span<byte>(name, StartedNames.Variables.NameSize));
                "OTEL_RESOURCE_ATTRIBUTES=service.name=b\0"u8.CopyTo(new Span<byte>(attributes, StartedNames.Variables.AttributesSize));
            }
        }
    }

    [Fact]
    public void Random_attributes_are_no_error()
    {
        var random = new Random(3);
        var alphabet = "service.name=,%20\"\\ \u00ff;"u8.ToArray();
        for (var i = 0; i < 100_000; i++)
        {
            var text = new byte[random.Next(40)];
            for (var j = 0; j < text.Length; j++)
            {
                text[j] = random.Next(10) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            }

            Assert.NotEqual("", ResourceAttributes.Find(text, "service.name"u8));
        }
    }
}
