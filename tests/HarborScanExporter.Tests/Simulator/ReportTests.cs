using HarborSimulator;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>What a rescan does to the report of the scan before, and what a report says of its time (harbor-facts 0.2).</summary>
public sealed class ReportTests
{
    private static readonly SimulationSettings Settings = new() { ErrorShare = 0, Sweeps = false };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_rescan_has_an_empty_report_of_its_own_or_the_old_one_as_it_was(bool keeps)
    {
        await using var simulated = await Simulated.StartAsync(settings: Settings with { KeepsReports = keeps });
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        var first = (await simulated.Harbor.ScanAsync(artifact, Token)).TaskIds[0];
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(20));
        var before = await simulated.OneAsync("select uuid, report from scan_report");
        var second = (await simulated.Harbor.ScanAsync(artifact, Token)).TaskIds[0];
        await simulated.Harbor.LoseJobAsync(second, Token);
        Assert.Equal(keeps ? "2" : "1", await simulated.OneAsync("select count(*) from task t join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ->> 0 = r.uuid"));
        var after = await simulated.OneAsync("select uuid, report from scan_report");
        Assert.Equal(keeps, before == after);
        Assert.Equal(keeps ? "f" : "t", await simulated.OneAsync("select report is null from scan_report"));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((second, ScanFate.Lost, false), (truth.TaskId, truth.Fate, truth.IsStored));
        Assert.Equal("Success|3", await simulated.StatusAsync(first));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rescan_that_ends_stores_over_it_and_one_that_does_not_tell_is_unreported(bool keeps)
    {
        await using var simulated = await Simulated.StartAsync(settings: Settings with { KeepsReports = keeps });
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await simulated.Harbor.ScanAsync(artifact, Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(20));
        var second = (await simulated.Harbor.ScanAsync(artifact, Token)).TaskIds[0];
        await simulated.AdvanceAsync(TimeSpan.FromSeconds(5));
        await simulated.Harbor.FinishWithoutTellingAsync(second, cancellationToken: Token);
        Assert.Equal("1|t", await simulated.OneAsync("""
            select count(*), bool_and((r.report ->> 'generated_at')::timestamptz at time zone 'utc' between t.creation_time and t.creation_time + interval '5 seconds')
            from task t join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ->> 0 = r.uuid where t.status = 'Running'
            """));
        var truth = Assert.Single(await simulated.Harbor.TruthAsync(Token));
        Assert.Equal((ScanFate.Unreported, true), (truth.Fate, truth.IsStored));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_report_is_made_up_to_three_seconds_before_the_end_in_the_zone_of_the_adapter(int seed)
    {
        await using var simulated = await Simulated.StartAsync(settings: Settings with { Seed = seed });
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await simulated.Harbor.ScanAsync(artifact, Token);
        await simulated.Harbor.GenerateSbomAsync(artifact, Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("t", await simulated.OneAsync("""
            select bool_and(t.end_time - (r.report ->> 'generated_at')::timestamptz at time zone 'utc' between '0 seconds' and '3 seconds')
            from task t join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ->> 0 = r.uuid
            """));
        Assert.Equal("t|f", await simulated.OneAsync("""
            select bool_and(t.end_time - (r.report ->> 'end_time')::timestamptz at time zone 'utc' between '0 seconds' and '3 seconds'), bool_or(r.report::jsonb ? 'generated_at')
            from task t join sbom_report r on t.extra_attrs::jsonb -> 'report_uuids' ->> 0 = r.uuid
            """));
        Assert.EndsWith(seed switch { 1 => "Z", 2 => "+02:30", _ => "-02:30" }, await simulated.OneAsync("select report ->> 'generated_at' from scan_report"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_adapters_say_no_time()
    {
        await using var simulated = await Simulated.StartAsync(settings: Settings with { ReportsTellTime = false });
        var artifact = await simulated.Harbor.PushAsync(cancellationToken: Token);
        await simulated.Harbor.ScanAsync(artifact, Token);
        await simulated.Harbor.GenerateSbomAsync(artifact, Token);
        await simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("scanner,severity,vulnerabilities", await simulated.OneAsync("select string_agg(k, ',' order by k) from scan_report, json_object_keys(report) k"));
        Assert.Equal("sbom_digest,sbom_repository,scan_status,scanner", await simulated.OneAsync("select string_agg(k, ',' order by k) from sbom_report, json_object_keys(report) k"));
    }
}
