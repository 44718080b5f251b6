using Beyla.Agent.Selection;

namespace Beyla.Agent.Tests.Configuration;

public sealed class SelectionTests
{
    private static readonly ProcessFacts Nginx = new()
    {
        Pid = 100, Executable = "/usr/sbin/nginx", CommandLine = "-g daemon off;", Language = ProcessLanguage.Cpp,
        ListeningPorts = [80, 8080],
    };

    private static SelectionRule? Find(ProcessFacts facts, params (string, string)[] environment)
    {
        var loaded = Loaded.Environment(environment);
        Assert.Empty(loaded.Problems);
        return (loaded.Configuration.Selection with { OwnPid = 7 }).Find(facts);
    }

    [Theory]
    [InlineData("BEYLA_OPEN_PORT", "8080", true)]
    [InlineData("BEYLA_OPEN_PORT", "1-79,81-8079,8081-65535", false)]
    [InlineData("BEYLA_OPEN_PORT", "8000-9000", true)]
    [InlineData("BEYLA_AUTO_TARGET_EXE", "*nginx", true)]
    [InlineData("BEYLA_AUTO_TARGET_EXE", "nginx", false)]
    [InlineData("BEYLA_EXECUTABLE_NAME", "ngi.x$", true)]
    [InlineData("BEYLA_EXECUTABLE_NAME", "^nginx", false)]
    [InlineData("BEYLA_EXECUTABLE_NAME", "(?P<x>sbin)", true)]
    [InlineData("BEYLA_TARGET_PID", "99,100", true)]
    [InlineData("BEYLA_TARGET_PID", "101", false)]
    public void One_criterion(string variable, string value, bool expected) =>
        Assert.Equal(expected, Find(Nginx, (variable, value)) is not null);

    [Theory]
    [InlineData("open_port: 8080")]
    [InlineData("open_port: [79, 8000-8999]")]
    [InlineData("open_port: {Ranges: 8080}")]
    [InlineData("open_port: {ranges: [8080]}")]
    [InlineData("target_pids: {Ranges: [1, 90-110]}")]
    public void Ports_and_process_ids_in_each_notation(string yaml)
    {
        var loaded = Loaded.From(yaml);
        Assert.Empty(loaded.Warnings);
        Assert.NotNull(loaded.Configuration.Selection.Find(Nginx));
    }

    [Theory]
    [InlineData("{Ranges: 8080, Rnges: 1}")]
    [InlineData("{Ranges: {Ranges: 1}}")]
    public void A_mapping_of_ports_has_one_key(string ports) =>
        Assert.Contains(
            "a single value or a list is expected", Assert.Single(Loaded.From("open_port: " + ports).Problems), StringComparison.Ordinal);

    [Theory]
    [InlineData("8080", "*nginx", true)]
    [InlineData("8081", "*nginx", false)]
    [InlineData("8080", "*apache", false)]
    public void Port_and_executable_must_hold_together(string port, string executable, bool expected) =>
        Assert.Equal(expected, Find(Nginx, ("BEYLA_OPEN_PORT", port), ("BEYLA_AUTO_TARGET_EXE", executable)) is not null);

    [Theory]
    [InlineData("go", ProcessLanguage.Go, "/app/server", true)]
    [InlineData("{go,java}", ProcessLanguage.Java, "/app/server", true)]
    [InlineData("{go,java}", ProcessLanguage.NodeJs, "/app/server", false)]
    [InlineData("*", ProcessLanguage.Generic, "/app/server", true)]
    [InlineData("generic", ProcessLanguage.Generic, "/app/server", true)]
    [InlineData("go", ProcessLanguage.Go, "/usr/sbin/server", false)]
    [InlineData("go", ProcessLanguage.Go, "/usr/lib/systemd/x", false)]
    public void Languages_are_not_asked_for_below_system_paths(string glob, ProcessLanguage language, string executable, bool expected) =>
        Assert.Equal(
            expected, Find(Nginx with { Language = language, Executable = executable }, ("BEYLA_AUTO_TARGET_LANGUAGE", glob)) is not null);

    [Theory]
    [InlineData("/usr/local/bin/beyla")]
    [InlineData("/usr/bin/alloy")]
    [InlineData("/otelcol-contrib")]
    [InlineData("/bin/otelcol-contrib_0.1")]
    public void Observability_tools_are_excluded_by_default(string executable)
    {
        Assert.Null(Find(Nginx with { Executable = executable }, ("BEYLA_OPEN_PORT", "8080")));
        var all = Loaded.From("open_port: 8080\ndiscovery: {default_exclude_instrument: []}").Configuration.Selection;
        Assert.NotNull(all.Find(Nginx with { Executable = executable }));
    }

    [Fact]
    public void The_agent_itself_is_never_selected()
    {
        var selection = Loaded.From("open_port: 8080\ndiscovery: {default_exclude_instrument: []}").Configuration.Selection;
        Assert.Null(selection.Find(Nginx with { Pid = Environment.ProcessId }));
        Assert.True(selection.IsExcluded(Nginx with { Pid = Environment.ProcessId }));
    }

    [Fact]
    public void A_process_id_rules_alone()
    {
        var loaded = Loaded.Environment(("BEYLA_TARGET_PID", "5"), ("BEYLA_OPEN_PORT", "8080"), ("BEYLA_SERVICE_NAME", "web"));
        var rule = Assert.Single(loaded.Configuration.Selection.Rules);
        Assert.Equal(("BEYLA_TARGET_PID", "web"), (rule.Origin, rule.ServiceName));
        Assert.Null(loaded.Configuration.Selection.Find(Nginx));
        Assert.Equal(["open_port (environment BEYLA_OPEN_PORT) has no effect, because target_pids (environment BEYLA_TARGET_PID) is set"],
            loaded.Warnings);
    }

    /// <summary>Each way to select has the agent's own name as its last resort; a rule of variables also carries it itself.</summary>
    [Theory]
    [InlineData("discovery: {instrument: [{open_ports: 80}]}")]
    [InlineData("discovery: {services: [{open_ports: 80}]}")]
    [InlineData("discovery: {instrument: [{open_ports: 80, name: own}]}")]
    [InlineData("open_port: 80")]
    [InlineData("target_pids: [5]")]
    public void The_agents_name_is_the_default_whatever_selects(string file)
    {
        var fromFile = Loaded.From(file + "\nservice_name: web\nservice_namespace: shop").Configuration.Selection;
        Assert.Equal(("web", "shop"), (fromFile.ServiceName, fromFile.ServiceNamespace));
        Assert.Equal("web", Loaded.From(file, [("OTEL_SERVICE_NAME", "web")]).Configuration.Selection.ServiceName);
        var unset = Loaded.From(file + "\nservice_name: ''").Configuration.Selection;
        Assert.Equal((null, null), (unset.ServiceName, unset.ServiceNamespace));
    }

    [Fact]
    public void Entries_are_alternatives_and_their_fields_belong_together()
    {
        var loaded = Loaded.From("""
            discovery:
              instrument:
                - {name: web, namespace: shop, exe_path: "*nginx", open_ports: [443, 8000-8999]}
                - {name: api, cmd_args: "*--api*", languages: "{go,rust}"}
                - {target_pids: 55}
              exclude_instrument:
                - {open_ports: 80, exe_path: "*/busybox"}
            """, [("BEYLA_OPEN_PORT", "9999")]);
        Assert.Empty(loaded.Problems);
        Assert.Empty(loaded.Warnings);
        var selection = loaded.Configuration.Selection;
        Assert.Equal(["discovery.instrument[0]", "discovery.instrument[1]", "discovery.instrument[2]", "BEYLA_OPEN_PORT"],
            selection.Rules.Select(static rule => rule.Origin));
        Assert.Equal("web", selection.Find(Nginx)?.ServiceName);
        Assert.Equal("shop", selection.Find(Nginx)?.ServiceNamespace);
        Assert.Null(selection.Find(Nginx with { ListeningPorts = [80] }));
        var api = new ProcessFacts { Pid = 1, Executable = "/x", CommandLine = "run --api", Language = ProcessLanguage.Rust };
        Assert.Equal("api", selection.Find(api)?.ServiceName);
        Assert.Null(selection.Find(api with { Language = ProcessLanguage.Php }));
        Assert.Null(selection.Find(api with { CommandLine = "run" }));
        Assert.Equal(2, Array.IndexOf([.. selection.Rules], selection.Find(api with { Pid = 55, CommandLine = "" })));
        var busybox = Nginx with { Executable = "/bin/busybox", ListeningPorts = [80, 9999] };
        Assert.Null(selection.Find(busybox));
        Assert.True(selection.IsExcluded(busybox));
        Assert.Equal("BEYLA_OPEN_PORT", selection.Find(busybox with { ListeningPorts = [9999] })?.Origin);
        Assert.True(selection.NeedsLanguage && selection.NeedsCommandLine);
        var needs = new SelectionNeeds(selection);
        Assert.True(needs.Mentions(80) && needs.Mentions(8500) && !needs.Mentions(81));
    }

    [Theory]
    [InlineData("[{k8s_namespace: x, open_ports: 80}]",
        "beyla.yml:1:27: discovery.instrument[0] is left out, because k8s_namespace belongs to a feature that is not built in this agent")]
    [InlineData("[{open_port: 80}]",
        "beyla.yml:1:27: discovery.instrument[0] is left out, because the key \"open_port\" is unknown; did you mean open_ports?")]
    public void An_entry_that_cannot_be_judged_selects_nothing(string entries, string expected)
    {
        var loaded = Loaded.From($"discovery: {{instrument: {entries}}}");
        Assert.Equal([expected], loaded.Warnings);
        Assert.Empty(loaded.Problems);
        Assert.True(loaded.Configuration.Selection.IsEmpty);
    }

    [Theory]
    [InlineData("[{name: x}]",
        "discovery.instrument[0] = \"{name: x}\" (beyla.yml:1:26): "
            + "at least one of open_ports, exe_path, languages, target_pids and cmd_args is needed")]
    [InlineData("[80]", "discovery.instrument[0] = \"80\" (beyla.yml:1:26): a selector is a mapping such as {open_ports: 8080}")]
    [InlineData("[{open_ports: 0}]", "discovery.instrument[0].open_ports = \"0\" (beyla.yml:1:39): \"0\" is outside 1-65535")]
    [InlineData("[{exe_path: '['}]", "discovery.instrument[0].exe_path = \"[\" (beyla.yml:1:37): the [ at character 1 has no ]")]
    [InlineData("{open_ports: 0}",
        "discovery.instrument = \"{open_ports: 0}\" (beyla.yml:1:25): "
            + "a list of at most 256 selectors is expected, such as [{open_ports: 8080}]")]
    [InlineData("abc", "discovery.instrument = \"abc\" (beyla.yml:1:25): a list of selectors is expected, such as [{open_ports: 8080}]")]
    public void A_bad_entry_is_an_error_with_its_place(string entries, string expected) =>
        Assert.Contains(expected, Loaded.From($"discovery: {{instrument: {entries}}}").Problems);

    [Theory]
    [InlineData("BEYLA_AUTO_TARGET_EXE", "*x", "AutoTargetExe (environment BEYLA_AUTO_TARGET_EXE)")]
    [InlineData("BEYLA_AUTO_TARGET_LANGUAGE", "go", "AutoTargetLanguage (environment BEYLA_AUTO_TARGET_LANGUAGE)")]
    public void The_deprecated_name_yields_to_newer_settings(string variable, string value, string winner)
    {
        var loaded = Loaded.Environment((variable, value), ("BEYLA_EXECUTABLE_NAME", "nginx"));
        Assert.IsNotType<RegexPattern>(Assert.Single(loaded.Configuration.Selection.Rules).ExecutablePath);
        Assert.Equal([$"executable_name (environment BEYLA_EXECUTABLE_NAME) has no effect, because {winner} is set"], loaded.Warnings);
    }

    [Fact]
    public void Deprecated_selectors_take_regular_expressions()
    {
        var loaded = Loaded.From("""
            discovery:
              services:
                - {name: web, exe_path: "ngin.$", open_ports: 80}
                - {exe_path_regexp: "^/opt/", languages: "^(go|rust)$", cmd_args: "--api"}
              exclude_services:
                - {exe_path: "old"}
            """, [("BEYLA_OPEN_PORT", "9999")]);
        Assert.Empty(loaded.Problems);
        Assert.Equal(
            ["discovery.exclude_services (beyla.yml:6:5) is deprecated, discovery.exclude_instrument takes globs instead",
                "discovery.services (beyla.yml:3:5) is deprecated, discovery.instrument takes globs instead"],
            loaded.Warnings);
        var selection = loaded.Configuration.Selection;
        Assert.Equal(
            ["discovery.services[0]", "discovery.services[1]", "BEYLA_OPEN_PORT"], selection.Rules.Select(static rule => rule.Origin));
        Assert.Equal("web", selection.Find(Nginx)?.ServiceName);
        Assert.Null(selection.Find(Nginx with { Executable = "/usr/sbin/nginx2" }));
        Assert.Null(selection.Find(Nginx with { Executable = "/old/nginx" }));
        var api = new ProcessFacts { Pid = 1, Executable = "/opt/x", CommandLine = "run --api", Language = ProcessLanguage.Rust };
        Assert.NotNull(selection.Find(api));
        Assert.Null(selection.Find(api with { Language = ProcessLanguage.Cpp }));
        Assert.Null(selection.Find(api with { CommandLine = "run" }));
        Assert.Null(selection.Find(api with { Executable = "/usr/opt/x" }));
    }

    [Theory]
    [InlineData("instrument: [{open_ports: 1}]", "discovery.instrument (beyla.yml:1:56)")]
    [InlineData("", "AutoTargetExe (environment BEYLA_AUTO_TARGET_EXE)")]
    public void Deprecated_selectors_yield_to_newer_ones(string newer, string winner)
    {
        var loaded = Loaded.From(
            $"discovery: {{services: [{{exe_path: nginx}}], {newer}}}", newer.Length > 0 ? [] : [("BEYLA_AUTO_TARGET_EXE", "*y")]);
        Assert.Equal([$"discovery.services (beyla.yml:1:23) has no effect, because {winner} is set"], loaded.Warnings);
        Assert.Null(loaded.Configuration.Selection.Find(Nginx));
    }

    [Fact]
    public void Deprecated_selectors_are_checked()
    {
        var loaded = Loaded.From("discovery: {services: [{exe_path: '(?=x)'}]}");
        Assert.Contains("discovery.services[0].exe_path = \"(?=x)\" (beyla.yml:1:35): look-around",
            Assert.Single(loaded.Problems), StringComparison.Ordinal);
        Assert.Contains("exe_path_regexp\" is unknown",
            Assert.Single(Loaded.From("discovery: {instrument: [{exe_path_regexp: x}]}").Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Selectors_can_come_from_the_command_line()
    {
        var loaded = Loaded.From("", [], "--set", "discovery.instrument=[{exe_path: '*nginx'}]");
        Assert.NotNull(loaded.Configuration.Selection.Find(Nginx));
        Assert.Equal("command line --set discovery.instrument", loaded.Setting("discovery.instrument").Origin.ToString());
    }
}
