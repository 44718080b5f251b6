namespace Beyla.Agent.Configuration;

/// <summary>What reaches into the runtimes of traced programs.</summary>
internal static partial class KeyTable
{
    private const string RuntimesOfLanguages = """
        javaagent.attach_timeout|BEYLA_JAVAAGENT_ATTACH_TIMEOUT|duration|10s
          How long loading the agent into a Java program may take.
        javaagent.debug_instrumentation|BEYLA_JAVAAGENT_DEBUG_INSTRUMENTATION|bool|false
          Has the agent in the Java program log each class that it changes.
        javaagent.debug|BEYLA_JAVAAGENT_DEBUG|bool|false
          Has the agent in the Java program log what it does.
        javaagent.enabled|BEYLA_JAVAAGENT_ENABLED|bool|true
          Loads an agent into Java programs to see what TLS encrypts.
        jvm_runtime_metrics.sampling_interval|OBI_JVM_RUNTIME_METRICS_SAMPLING_INTERVAL|duration|1s
          How often the metrics of Java runtimes are measured.
        nodejs.enabled|BEYLA_NODEJS_ENABLED|bool|true
          Runs code in Node.js programs, to link their requests.
        nodejs.manual_spans|BEYLA_NODEJS_MANUAL_SPANS|bool|false
          Reports the spans that Node.js programs make themselves.
        """;

    private const string Injector = """
        injector.enabled_sdks||list|java,dotnet,nodejs,python
          The languages whose OpenTelemetry library is put into pods.
        injector.exclude_instrument||selectors|
          Rules for pods that are left alone.
        injector.exporter_otlp_endpoint||text|
          The URL to which the library sends.
        injector.exporter_otlp_protocol||one debug grpc http/json http/protobuf|
          The form in which the library sends.
        injector.image_version||text|
          The version of the image that holds the library.
        injector.instrument||selectors|
          Rules for pods that get the library.
        injector.otel_exported_signals.logs||bool|false
          Has the library send logs.
        injector.otel_exported_signals.metrics||bool|false
          Has the library send metrics.
        injector.otel_exported_signals.traces||bool|false
          Has the library send traces.
        injector.resources.add_k8s_ip_attribute||bool|false
          Adds the address of the pod to its resource attributes.
        injector.resources.add_k8s_uid_attributes||bool|false
          Adds the ids of Kubernetes objects to the resource attributes.
        injector.resources.attributes||any|
          Resource attributes that are added.
        injector.resources.use_k8s_labels_for_resource_attributes||bool|false
          Makes resource attributes from the labels of a pod.
        injector.trace_propagators||list|
          The forms of trace context that the library reads and writes.
        injector.trace_sampler.arg|OTEL_TRACES_SAMPLER_ARG|text|
          The argument of the library's sampler.
        injector.trace_sampler.name|OTEL_TRACES_SAMPLER|
        """
        + """
        one always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio|
          Which traces the library keeps.
        injector.webhook.external_deployment_name|BEYLA_EXTERNAL_WEBHOOK_DEPLOYMENT_NAME|text|
          The deployment whose webhook changes the pods.
        """;
}
