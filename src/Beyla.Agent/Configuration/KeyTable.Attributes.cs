namespace Beyla.Agent.Configuration;

/// <summary>What spans and metrics say: attributes, filters, routes and names.</summary>
internal static partial class KeyTable
{
    private const string Attributes = """
        attributes.extra_group_attributes||any|
          Attributes that are added to a group of attributes.
        +attributes.host_id.override|BEYLA_HOST_ID|text|
          The id of the host, in place of the one that the host has.
        attributes.instance_id.dns|BEYLA_HOSTNAME_DNS_RESOLUTION|bool|true
          Asks DNS for the name of the host.
        +attributes.instance_id.override_hostname|BEYLA_HOSTNAME|text|
          The name of the host, in place of the one that it has.
        attributes.kubernetes.cluster_name|BEYLA_KUBE_CLUSTER_NAME|text|
          The name of the Kubernetes cluster.
        attributes.kubernetes.disable_informers|BEYLA_KUBE_DISABLE_INFORMERS|list|
          Kinds of Kubernetes objects that are not watched.
        attributes.kubernetes.drop_external|BEYLA_NETWORK_DROP_EXTERNAL|bool|false
          Leaves out flows whose two ends are not both in the cluster.
        attributes.kubernetes.enable|BEYLA_KUBE_METADATA_ENABLE|one autodetect false true|autodetect
          Adds the names of Kubernetes objects; autodetect does inside a cluster.
        attributes.kubernetes.informers_resync_period|BEYLA_KUBE_INFORMERS_RESYNC_PERIOD|duration|30m
          How often all Kubernetes objects are read again.
        attributes.kubernetes.informers_sync_timeout|BEYLA_KUBE_INFORMERS_SYNC_TIMEOUT|duration|30s
          How long the first reading of Kubernetes objects may take.
        attributes.kubernetes.kubeconfig_path|KUBECONFIG|text|
          The file that says how to reach the cluster.
        attributes.kubernetes.meta_cache_address|BEYLA_KUBE_META_CACHE_ADDRESS|text|
          The address of a service that keeps the Kubernetes objects for all agents.
        attributes.kubernetes.meta_restrict_local_node|BEYLA_KUBE_META_RESTRICT_LOCAL_NODE|bool|false
          Reads only the Kubernetes objects of the agent's own node.
        attributes.kubernetes.meta_source_labels.service_namespace|BEYLA_SERVICE_NAMESPACE|text|
          The label of a pod that gives the service namespace.
        attributes.kubernetes.meta_source_labels.service_name|OTEL_SERVICE_NAME|text|
          The label of a pod that gives the service name.
        attributes.kubernetes.reconnect_initial_interval|BEYLA_KUBE_RECONNECT_INITIAL_INTERVAL|duration|5s
          How long to wait before the first attempt to reach the service again that keeps the objects.
        attributes.kubernetes.resource_labels||any|
          The labels of pods that give service name, namespace and version.
        attributes.kubernetes.service_name_template|BEYLA_SERVICE_NAME_TEMPLATE|text|
          A template that makes the service name from the Kubernetes objects.
        attributes.metadata_retry.max_interval|BEYLA_METADATA_RETRY_MAX_INTERVAL|duration|5s
          The longest wait between two questions for the metadata of the cloud.
        attributes.metadata_retry.start_interval|BEYLA_METADATA_RETRY_START_INTERVAL|duration|500ms
          The first wait between two questions for the metadata of the cloud.
        attributes.metadata_retry.timeout|BEYLA_METADATA_RETRY_TIMEOUT|duration|30s
          How long the metadata of the cloud is asked for before that is given up.
        +attributes.metric_span_names_limit|BEYLA_METRIC_SPAN_NAMES_LIMIT|int|100
          How many span names of a service metrics tell apart; 0 is no limit.
        +attributes.rename_unresolved_hosts_incoming|BEYLA_RENAME_UNRESOLVED_HOSTS_INCOMING|text|incoming
          What metrics have in place of a client of which only the address is known.
        +attributes.rename_unresolved_hosts_outgoing|BEYLA_RENAME_UNRESOLVED_HOSTS_OUTGOING|text|outgoing
          What metrics have in place of a server of which only the address is known.
        +attributes.rename_unresolved_hosts|BEYLA_RENAME_UNRESOLVED_HOSTS|text|
          The same for both, where the one for the side is not set.
        +attributes.select||any|
          Which attributes each metric has, and exported spans: metric names or traces, each with include and exclude.
        +attributes.sensitive_query_params.add|BEYLA_SENSITIVE_QUERY_PARAMS_ADD|list|
          Names of further query parameters whose values are replaced; names of secrets such as token are known.
        +attributes.sensitive_query_params.remove|BEYLA_SENSITIVE_QUERY_PARAMS_REMOVE|list|
          Names of query parameters whose values are shown although they are known as secrets.
        """;

    private const string Filters = """
        +filter.application||any|
          Conditions on attributes that spans must all meet to be printed, sent or counted: match, not_match, or a comparison of numbers.
        +filter.network||any|
          Conditions on attributes that flows must all meet to be printed or counted, such as {transport: {match: TCP}}.
        +filter.stats||any|
          Conditions on attributes that TCP statistics must all meet to be printed or counted, such as {reason: {match: refused}}.
        """;

    private const string Routes = """
        +routes.ignore_mode||one all metrics traces|all
          Where ignored routes are left out: in metrics, in traces, or in both.
        +routes.ignored_patterns||list|
          Patterns of paths whose requests are not reported.
        +routes.max_path_segment_cardinality||int 0..|10
          How many values a part of a path may have in a service before it counts as a variable; 0 is no limit.
        +routes.patterns||list|
          The routes to which the paths of requests are matched, such as /user/:id, /user/{id} and /static/*.
        +routes.unmatched||one heuristic low-cardinality path unset wildcard|low-cardinality
          What becomes the route of a path that no pattern fits; heuristic and low-cardinality guess it.
        +routes.wildcard_char||text|*
          What stands for a variable part of a path in a route that is guessed; one character.
        """;

    private const string NamesOfOtherHosts = """
        +name_resolver.cache_expiry|BEYLA_NAME_RESOLVER_CACHE_TTL|duration >0|5m
          How long the name of a host is remembered.
        +name_resolver.cache_len|BEYLA_NAME_RESOLVER_CACHE_LEN|int 1..|1024
          How many names of hosts are remembered.
        +name_resolver.sources|BEYLA_NAME_RESOLVER_SOURCES|list|k8s
          Where metrics have the names of hosts from that requests name by their address: dns asks the resolver of this host.
        """;
}
