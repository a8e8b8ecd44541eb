using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using Microsoft.Extensions.DependencyInjection;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>The end of a scan that is found to have succeeded: that of its report where it is plausible.</summary>
public sealed class TruthfulEndTests
{
    [Theory]
    // The task was made and enqueued five hours and a minute before.
    [InlineData(5 * Hour, 5 * Hour)]
    [InlineData(5 * Hour + 60, 5 * Hour + 60)]
    [InlineData(5 * Hour + 61, null)]
    [InlineData(0.0, 0.0)]
    [InlineData(-1.0, null)]
    [InlineData(null, null)]
    public void The_time_of_the_report_is_the_end_unless_it_cannot_be(double? age, double? ended)
    {
        var repair = Assert.Single(new PlanSituation { Scans = [new OpenScan(Running(), JobEvidence.Nothing, Stored: true) { Generated = Now - age }] }.Plan().Repairs);
        Assert.Equal(("Success", Now - ended), (repair.Status, repair.Ended));
        Assert.Contains(ended is null ? "code 3 and an end," : "code 3 and the end that its report tells,", repair.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_row_and_its_execution_end_when_the_report_was_made_in_whole_seconds_and_are_updated_now()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (execution, task) = await harbor.LoseScanAsync();
        await harbor.SeeTwiceAsync();
        var plan = await harbor.PlanAsync();
        var made = await harbor.Harbor.Database.ScalarAsync<double>("select date_part('epoch', now() - interval '3 hours')::bigint + 0.9::float8");
        await using (var transaction = await harbor.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken))
        {
            var repair = Assert.Single(plan.Repairs) with { Status = "Success", Ended = made };
            Assert.Equal(RepairState.Done, Assert.Single(
                await RepairWriting.WriteAsync(transaction, [repair], "r", new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)).State);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        var floor = Math.Floor(made);
        Assert.Equal($"Success {floor} t Success {floor}", await harbor.Harbor.Database.ScalarAsync<string>($"""
            select concat_ws(' ', t.status, date_part('epoch', t.end_time), t.update_time > now() at time zone 'utc' - interval '1 minute', e.status, date_part('epoch', e.end_time))
            from task t join execution e on e.id = t.execution_id where t.id = {task} and e.id = {execution}
            """));
    }
}
