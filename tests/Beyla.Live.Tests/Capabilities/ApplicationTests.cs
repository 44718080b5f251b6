using System.Text.RegularExpressions;
using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>Application observability with every set of capabilities that matters: exact spans, or exactly the predicted loss.</summary>
public sealed class ApplicationTests
{
    private const int Requests = 40;
    private const string Service = "shop";

    public static TheoryData<string, string> SufficientSets() => new()
    {
        { "application", ScenarioCase.Find("application").Listed },
        { "application-propagation", ScenarioCase.Find("application-propagation").Listed },
    };

    public static TheoryData<string, string> OnlyListed()
    {
        TheoryData<string, string> data = [];
        foreach (string name in (string[])["application", "application-propagation"])
        {
            foreach (string capability in ScenarioCase.Find(name).OnlyListed)
            {
                data.Add(name, capability);
            }
        }

        return data;
    }

    [LiveTheory("python3", "setcap", "setpriv"), MemberData(nameof(SufficientSets))]
    public async Task With_the_listed_set_nothing_is_said_and_all_is_seen(string scenario, string capabilities)
    {
        await AssertTraced(await OrdinaryUser.CreateAsync(capabilities, "ep"), scenario, expectedWarning: null, Service);
    }

    [LiveTheory("python3", "setcap", "setpriv")]
    [InlineData("application", "CAP_NET_RAW, CAP_CHECKPOINT_RESTORE")]
    [InlineData("application-propagation", "CAP_NET_RAW, CAP_CHECKPOINT_RESTORE")]
    public async Task With_the_needed_set_what_is_only_listed_is_said_once_at_level_debug(string scenario, string missing)
    {
        string log = await AssertTraced(
            await OrdinaryUser.CreateAsync(ScenarioCase.Find(scenario).Needed), scenario, expectedWarning: null, Service);
        Assert.DoesNotMatch("level=[A-Z]+ .*CAP_", log);

        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find(scenario).Needed);
        AgentSettings settings = AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_LOG_LEVEL", "DEBUG");
        if (scenario == "application-propagation")
        {
            settings = settings.With("BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION", "1");
        }

        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(settings));
        await agent.StopAsync();
        Assert.Single(Regex.Matches(
            agent.Errors,
            "(?m)^time=\\S+ level=DEBUG msg=\"Listed for this configuration, not needed by this agent and not given to it\" "
                + $"capabilities=\"{missing}\"$"));
        Assert.Single(Regex.Matches(agent.Errors, "level=[A-Z]+ .*CAP_NET_RAW"));
    }

    [LiveFact("setcap", "setpriv")]
    public async Task Enforcement_asks_for_the_listed_set_also_of_a_minimal_one()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Needed);
        string log = await AssertEnds(user.Run(AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_ENFORCE_SYS_CAPS", "1")), 3);
        Assert.Contains("the following capabilities are required: CAP_NET_RAW, CAP_CHECKPOINT_RESTORE\"", log, StringComparison.Ordinal);
    }

    [LiveTheory("python3", "setcap", "setpriv"), MemberData(nameof(OnlyListed))]
    public async Task Without_one_that_is_only_listed_all_is_seen_and_a_set_that_is_not_minimal_is_warned_of(
        string scenario, string capability)
    {
        string set = ScenarioCase.Without(ScenarioCase.Find(scenario).Listed, capability);
        // What is left then is what tracing and flows need, as set --minimal and set --add make it: somebody meant it so.
        bool minimal = capability == "cap_checkpoint_restore";
        await AssertTraced(await OrdinaryUser.CreateAsync(set), scenario, minimal ? null : capability.ToUpperInvariant(), Service);
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task Without_dac_read_search_spans_are_exact_and_services_are_named_after_their_program()
    {
        string set = ScenarioCase.Without(ScenarioCase.Find("application").Listed, "cap_dac_read_search");
        string log = await AssertTraced(await OrdinaryUser.CreateAsync(set), "application", "CAP_DAC_READ_SEARCH", service: null);
        Assert.Contains("/proc/PID/environ not readable for 1 processes: EACCES: ", log, StringComparison.Ordinal);
        Assert.Contains("msg=\"CAP_DAC_READ_SEARCH is missing\" consequence=\"OTEL_SERVICE_NAME", log, StringComparison.Ordinal);
    }

    [LiveTheory("gcc", "objcopy", "setcap", "setpriv")]
    [InlineData("", ProcessLanguage.Go)]
    [InlineData("cap_sys_ptrace", ProcessLanguage.Generic)]
    public async Task Without_sys_ptrace_spans_are_exact_and_compiled_languages_are_not_told(string removed, ProcessLanguage language)
    {
        // What tells Go is a section of the file.
        using TempDirectory directory = new();
        string program = Path.Combine(directory.Path, "service"), mark = directory.Write("mark", "Go buildinf:");
        await Tool.RunAsync("objcopy", "--add-section", $".go.buildinfo={mark}", await NativeProgram.BuildAsync("traffic"), program);
        int port = FreePort.Next();
        await using TestServer server = await TestServer.StartAsync(port, [program, "serve", $"{port}", "read"]);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Without(ScenarioCase.Find("application").Listed, removed));
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(AgentSettings.ForPorts(port)));

        await HttpRequests.SendAsync(port, Requests);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Requests);
        Assert.All(spans, span => Assert.Equal((200, language, server.Pid), (span.StatusCode, span.Language, span.ProcessId)));
        await agent.StopAsync();
        Assert.Equal(removed.Length > 0,
            agent.Errors.Contains("/proc/PID/exe not readable for 1 processes: EACCES: CAP_SYS_PTRACE", StringComparison.Ordinal));
        if (removed.Length > 0)
        {
            Warnings.AssertNamed(agent.Errors, "CAP_SYS_PTRACE");
        }
    }

    [LiveTheory("setcap", "setpriv")]
    [InlineData("cap_bpf")]
    [InlineData("cap_perfmon")]
    public async Task Without_one_for_programs_it_says_which_call_failed_and_ends(string capability)
    {
        string set = ScenarioCase.Without(ScenarioCase.Find("application").Listed, capability);
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(set);
        string log = await AssertEnds(user.Run(AgentSettings.ForPorts(FreePort.Next())), 1);
        Warnings.AssertNamed(log, capability.ToUpperInvariant());
        Assert.Contains("load eBPF object watcher: EPERM", log, StringComparison.Ordinal);
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task Without_net_admin_spans_are_exact_and_no_context_is_passed_on()
    {
        string set = ScenarioCase.Without(ScenarioCase.Find("application-propagation").Listed, "cap_net_admin");
        string log = await AssertTraced(await OrdinaryUser.CreateAsync(set), "application-propagation", "CAP_NET_ADMIN", Service);
        Assert.Contains(
            "msg=\"Trace context is not passed on\" error=\"load eBPF object propagation: EPERM", log, StringComparison.Ordinal);
    }

    [LiveTheory("python3", "setcap", "setpriv")]
    [InlineData("Listed")]
    [InlineData("Needed")]
    public async Task With_net_admin_context_is_passed_on(string list)
    {
        ScenarioCase scenario = ScenarioCase.Find("application-propagation");
        string log = await AssertTraced(
            await OrdinaryUser.CreateAsync(list == "Listed" ? scenario.Listed : scenario.Needed), scenario.Name, null, Service);
        Assert.Contains("msg=\"Passing trace context on\"", log, StringComparison.Ordinal);
        Assert.DoesNotContain("not passed on", log, StringComparison.Ordinal);
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task Spans_go_on_where_flows_cannot_be_seen()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Needed);
        await using TestServer server = await ServerKinds.PythonAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(
            user.Run(AgentSettings.ForPorts(server.Port).With("BEYLA_NETWORK_METRICS", "1")));
        await HttpRequests.SendAsync(server.Port, Requests);
        await agent.WaitForServerSpansAsync(Requests);
        agent.Signal(ChildProcess.SIGINT);
        Assert.Equal(0, await agent.WaitForExitAsync(Wait.Hang));

        Warnings.AssertNamed(agent.Errors, "CAP_NET_RAW, CAP_CHECKPOINT_RESTORE");
        Assert.Contains(
            "msg=\"Network observability did not start\" error=\"open a packet socket: EPERM", agent.Errors, StringComparison.Ordinal);
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task Sys_admin_alone_stands_in_for_programs_and_for_no_names()
    {
        await AssertTraced(
            await OrdinaryUser.CreateAsync("cap_sys_admin"), "application",
            "CAP_DAC_READ_SEARCH, CAP_NET_RAW, CAP_SYS_PTRACE", service: null);
    }

    [LiveFact("python3", "setcap", "setpriv")]
    public async Task A_smaller_bounding_set_takes_away_and_does_not_stop_it()
    {
        string log = await AssertTraced(
            await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed), "application", "CAP_DAC_READ_SEARCH", service: null,
            "--bounding-set=-dac_read_search");
        Assert.Contains("the bounding set", log, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task The_effective_flag_makes_such_an_exec_fail()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed, "ep");
        (int status, _, string errors) = await user.CommandAsync(["--version"], "--bounding-set=-sys_ptrace");
        Assert.NotEqual(0, status);
        Assert.Contains("Operation not permitted", errors, StringComparison.Ordinal);
    }

    [LiveFact("setcap", "setpriv")]
    public async Task With_no_new_privs_file_capabilities_count_for_nothing_and_it_says_why()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Find("application").Listed);
        // A setpriv of its own: the one that changes the user still holds root's capabilities, and no_new_privs lets keep what is held.
        AgentSettings settings = user.Run(AgentSettings.ForPorts(FreePort.Next()));
        string log = await AssertEnds(settings with { Prefix = [.. settings.Prefix, Tool.Find("setpriv"), "--no-new-privs", "--"] }, 1);
        Warnings.AssertNamed(log, "CAP_DAC_READ_SEARCH, CAP_NET_RAW, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE");
        Assert.Contains("no_new_privs stands in the way", log, StringComparison.Ordinal);
    }

    [LiveFact("setpriv", "unshare")]
    public async Task In_another_user_namespace_root_is_not_enough()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync("");
        AgentSettings settings = user.Run(AgentSettings.ForPorts(FreePort.Next()));
        string log = await AssertEnds(
            settings with { Prefix = [.. settings.Prefix, Tool.Find("unshare"), "--user", "--map-root-user"] }, 1);
        Warnings.AssertNamed(log, "CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE");
        Assert.Contains("user namespace stands in the way", log, StringComparison.Ordinal);
    }

    [LiveTheory("setcap", "setpriv")]
    [InlineData("")]
    [InlineData("cap_bpf,cap_perfmon")]
    public async Task Enforcement_ends_it_with_3_before_anything_is_loaded(string capabilities)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(capabilities);
        string log = await AssertEnds(user.Run(AgentSettings.ForPorts(FreePort.Next()).With("BEYLA_ENFORCE_SYS_CAPS", "1")), 3);
        Assert.Contains("level=ERROR msg=\"can't start Beyla\" error=\"the following capabilities are required: CAP_DAC_READ_SEARCH, ",
            log, StringComparison.Ordinal);
        Assert.DoesNotContain("eBPF object", log, StringComparison.Ordinal);
    }

    [LiveFact("python3", "setpriv")]
    public async Task Ambient_capabilities_do_as_well_and_are_given_up()
    {
        string[] names = [.. ScenarioCase.Find("application").Needed.Split(',').Select(name => "+" + name["cap_".Length..])];
        string list = string.Join(',', names);
        await AssertTraced(
            await OrdinaryUser.CreateAsync(""), "application", expectedWarning: null, Service, $"--inh-caps={list}",
            $"--ambient-caps={list}");
    }

    private static async Task<string> AssertEnds(AgentSettings settings, int expected)
    {
        await using AgentProcess agent = AgentProcess.Launch(settings);
        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == expected, $"exit code {status}, not {expected}:\n{agent.Errors}");
        return agent.Errors;
    }

    /// <summary>Traces a server of root and counts exactly.</summary>
    /// <returns>The log of the agent.</returns>
    private static async Task<string> AssertTraced(
        OrdinaryUser owned, string scenario, string? expectedWarning, string? service, params string[] options)
    {
        using OrdinaryUser user = owned;
        await using TestServer server = await ServerKinds.PythonAsync(environment: [new("OTEL_SERVICE_NAME", Service)]);
        AgentSettings settings = AgentSettings.ForPorts(server.Port);
        if (scenario == "application-propagation")
        {
            settings = settings.With("BEYLA_BPF_ENABLE_CONTEXT_PROPAGATION", "1");
        }

        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(settings, options));

        await HttpRequests.SendAsync(server.Port, Requests);

        IReadOnlyList<Span> spans = await agent.WaitForServerSpansAsync(Requests);
        Assert.All(spans, span =>
            Assert.Equal(("/hello", 200, ProcessLanguage.Python, server.Pid), (span.Path, span.StatusCode, span.Language, span.ProcessId)));
        if (service is not null)
        {
            Assert.All(spans, span => Assert.Equal(service, span.ServiceName));
        }
        else
        {
            Assert.All(spans, span => Assert.NotEqual(Service, span.ServiceName));
        }

        await Held.AssertNothingIsEffective(agent.Pid);
        await agent.StopAsync();
        if (expectedWarning is null)
        {
            Assert.DoesNotContain("system capabilities", agent.Errors, StringComparison.Ordinal);
        }
        else
        {
            Warnings.AssertNamed(agent.Errors, expectedWarning);
        }

        return agent.Errors;
    }
}
