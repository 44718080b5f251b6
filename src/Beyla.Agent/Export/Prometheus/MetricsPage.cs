using Beyla.Agent.Metrics;

namespace Beyla.Agent.Export.Prometheus;

/// <summary>The page of all series of a store. Does not allocate for series that were on it before. One thread.</summary>
/// <param name="store">The series; held up while the page is written.</param>
public sealed class MetricsPage(MetricStore store) : IPage
{
    private readonly List<FamilyText> texts = [];

    /// <inheritdoc/>
    public void Write(PageBuffer page, PageFormat format)
    {
        using (store.Enter())
        {
            WriteTargets(page, format);
            for (var i = 0; i < store.Families.Count; i++)
            {
                var family = store.Families[i];
                if (i == texts.Count)
                {
                    texts.Add(new FamilyText(family));
                }

                Write(page, format, family, texts[i]);
            }

            store.CountRead();
        }

        if (format == PageFormat.OpenMetrics)
        {
            page.Write("# EOF\n"u8);
        }
    }

    /// <summary>target_info: one sample for each service instance that has a series.</summary>
    private void WriteTargets(PageBuffer page, PageFormat format)
    {
        var isFirst = true;
        foreach (var resource in store.Resources)
        {
            if (resource.Count == 0)
            {
                continue;
            }

            if (isFirst)
            {
                page.Write(format == PageFormat.OpenMetrics
                    ? "# TYPE target info\n# HELP target Target metadata\n"u8
                    : "# HELP target_info Target metadata\n# TYPE target_info gauge\n"u8);
                isFirst = false;
            }

            page.Write("target_info{"u8);
            page.Write(resource.Written ??= LabelText.Of(resource));
            page.Write("} 1\n"u8);
        }
    }

    private static void Write(PageBuffer page, PageFormat format, MetricFamily family, FamilyText text)
    {
        if (family.Series.Count == 0)
        {
            return;
        }

        page.Write(format == PageFormat.OpenMetrics ? text.Open : text.Plain);
        foreach (var series in family.Series)
        {
            var labels = series.Text ??= LabelText.Of(series);
            if (series.Counts is { } counts)
            {
                WriteHistogram(page, series, counts, labels, text, format);
                continue;
            }

            page.Write(text.Sample);
            page.Write(labels);
            page.Write("} "u8);
            if (text.Scale > 1)
            {
                page.Write(series.Sum / text.Scale);
            }
            else
            {
                page.Write(series.Sum);
            }

            page.WriteByte((byte)'\n');
        }
    }

    private static void WriteHistogram(
        PageBuffer page, Series series, long[] counts, byte[] labels, FamilyText text, PageFormat format)
    {
        var sum = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += counts[i];
            page.Write(text.Bucket);
            page.Write(labels);
            page.Write(text.Limits[i]);
            page.Write(sum);
            if (format == PageFormat.OpenMetrics && series.Exemplars is { } exemplars && exemplars[i].Exists)
            {
                WriteExemplar(page, in exemplars[i], text.Scale);
            }

            page.WriteByte((byte)'\n');
        }

        page.Write(text.Sum);
        page.Write(labels);
        page.Write("} "u8);
        page.Write(series.Sum / text.Scale);
        page.WriteByte((byte)'\n');
        page.Write(text.Count);
        page.Write(labels);
        page.Write("} "u8);
        page.Write(series.Count);
        page.WriteByte((byte)'\n');
    }

    private static void WriteExemplar(PageBuffer page, in Exemplar exemplar, double scale)
    {
        page.Write(" # {trace_id=\""u8);
        page.WriteIdentity(exemplar.TraceHigh);
        page.WriteIdentity(exemplar.TraceLow);
        page.Write("\",span_id=\""u8);
        page.WriteIdentity(exemplar.SpanId);
        page.Write("\"} "u8);
        page.Write(exemplar.Measured / scale);
        page.WriteByte((byte)' ');
        page.Write(exemplar.Time / 1e6);
    }
}
