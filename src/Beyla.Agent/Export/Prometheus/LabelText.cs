using System.Buffers;
using System.Text;
using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>The labels of a sample as they stand between its braces. Made once for each series.</summary>
internal static class LabelText
{
    /// <summary>Job and instance alone.</summary>
    public static byte[] Identity(MetricResource resource)
    {
        var text = new ArrayBufferWriter<byte>();
        Begin(text, resource);
        return text.WrittenSpan.ToArray();
    }

    /// <summary>Labels of a series, job and instance first.</summary>
    public static byte[] Of(Series series)
    {
        var text = new ArrayBufferWriter<byte>();
        Begin(text, series.Resource);
        if (series.IsOverflow)
        {
            Add(text, "otel_metric_overflow", "true"u8);
            return text.WrittenSpan.ToArray();
        }

        var attributes = series.Family.Definition.Attributes;
        for (var i = 0; i < attributes.Count; i++)
        {
            var value = series.Value(i);
            if (!value.IsEmpty)
            {
                Add(text, PrometheusNames.Label(attributes[i].Name), value);
            }
        }

        return text.WrittenSpan.ToArray();
    }

    /// <summary>Labels of target_info: each attribute of the resource.</summary>
    public static byte[] Of(MetricResource resource)
    {
        var text = new ArrayBufferWriter<byte>();
        Begin(text, resource);
        // Keys that become one label share it, in their order; job and instance are taken.
        foreach (var label in resource.Attributes.GroupBy(static attribute => PrometheusNames.Label(attribute.Key))
            .Where(static label => label.Key is not ("job" or "instance")))
        {
            Add(text, label.Key, Encoding.UTF8.GetBytes(string.Join(';', label
                .OrderBy(static attribute => attribute.Key, StringComparer.Ordinal)
                .Select(static attribute => FormattableString.Invariant($"{attribute.Value}")))));
        }

        return text.WrittenSpan.ToArray();
    }

    /// <summary>Escapes a value: backslash, quotation mark, line feed; what is not UTF-8 becomes U+FFFD.</summary>
    public static void Escape(IBufferWriter<byte> text, ReadOnlySpan<byte> value)
    {
        while (!value.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(value, out _, out var used) != OperationStatus.Done)
            {
                text.Write("\uFFFD"u8);
            }
            else
            {
                text.Write(value[0] switch { (byte)'\\' => "\\\\"u8, (byte)'"' => "\\\""u8, (byte)'\n' => "\\n"u8, _ => value[..used] });
            }

            value = value[used..];
        }
    }

    private static void Begin(ArrayBufferWriter<byte> text, MetricResource resource)
    {
        text.Write("job=\""u8);
        Escape(text, Encoding.UTF8.GetBytes(resource.Job));
        text.Write("\",instance=\""u8);
        Escape(text, Encoding.UTF8.GetBytes(resource.Instance));
        text.Write("\""u8);
    }

    private static void Add(ArrayBufferWriter<byte> text, string name, ReadOnlySpan<byte> value)
    {
        text.Write(Encoding.UTF8.GetBytes($",{name}=\""));
        Escape(text, value);
        text.Write("\""u8);
    }
}
