namespace HarborScanExporter.Tests.Dashboards;

public sealed class PromQlTests
{
    [Fact]
    public void Selectors_come_with_matchers_range_and_the_calls_around_them()
    {
        var read = PromQl.Read("""
            # tasks per queue
            sum by (le) (rate(a_total{x="}(", y=~"$job|"}[$__rate_interval])) / ignoring (age) group_right () max without (instance, pod) (b offset 5m)
            """);

        Assert.Equal(["a_total", "b"], read.Selectors.Select(selector => selector.Metric));
        Assert.Equal(["x=\"}(\"", "y=~\"$job|\""], read.Selectors[0].Matchers);
        Assert.Equal("$__rate_interval", read.Selectors[0].Range);
        Assert.Equal(["sum", "rate"], read.Selectors[0].Calls.Select(call => call.Name));
        Assert.Equal("by", read.Selectors[0].Calls[0].Mode);
        Assert.Equal(["le"], read.Selectors[0].Calls[0].Labels);
        Assert.Equal(["max"], read.Selectors[1].Calls.Select(call => call.Name));
        Assert.True(read.Selectors[1].Calls[0].MergesReplicas);
        Assert.Empty(read.Subqueries);
    }

    [Fact]
    public void Words_functions_numbers_and_labels_are_no_metrics() =>
        Assert.Equal(["a", "b"], PromQl.Read("time() - a > bool 1e3 and on (job) group_left (x) b or vector(Inf)")
            .Selectors.Select(selector => selector.Metric));

    [Fact]
    public void A_subquery_knows_its_range_and_the_calls_around_it()
    {
        var subquery = Assert.Single(PromQl.Read("max_over_time((sum without (x) (a))[$__range:])").Subqueries);
        Assert.Equal("$__range:", subquery.Range);
        Assert.Equal(["max_over_time"], subquery.Calls.Select(call => call.Name));
    }

    [Fact]
    public void A_selector_without_a_name_is_seen() =>
        Assert.Equal([""], PromQl.Read("{job=\"x\"}").Selectors.Select(selector => selector.Metric));

    [Fact]
    public void Grouping_after_the_operand_is_refused() => Assert.Throws<FormatException>(() => PromQl.Read("sum(a) by (x)"));
}
