using System.Net;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Failures;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Remediation.Verification;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>That there is no audit is decided in one place and told in one sentence, whoever meets it.</summary>
public sealed class MissingAuditTests
{
    private const string Mend = "Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself.";

    [Theory]
    [InlineData("drop table harbor_scan.repair cascade", "42P01: relation \"harbor_scan.repair\" does not exist.")]
    [InlineData("revoke all on harbor_scan.repair from {0}, {1}", "42501: permission denied for table repair.")]
    [InlineData("alter table harbor_scan.repair drop column action cascade", "42703: column \"action\" does not exist.")]
    public async Task Whoever_meets_it(string trouble, string why)
    {
        await using var repairs = await OperatedRepairs.StartAsync();
        await repairs.LoseScanAsync();
        await using var harbor = await RepairingHarbor.StartAsync(harbor: repairs.Harbor, redis: repairs.Redis);
        await repairs.Harbor.Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, trouble, repairs.Harbor.Role, repairs.Harbor.RepairRole));

        List<string> told =
        [
            (await Assert.ThrowsAsync<AuditException>(harbor.PlanAsync)).Message,
            (await harbor.RunAsync()).Problem!,
            (await Assert.ThrowsAsync<AuditException>(harbor.VerifyAsync)).Message,
            (await Assert.ThrowsAsync<AuditException>(() => harbor.Run.ResolveIntentsAsync(TestContext.Current.CancellationToken))).Message,
            (await harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(1, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)).Problem!,
        ];
        foreach (var path in new[] { "/api/v1/plan", "/api/v1/repairs" })
        {
            var (status, body) = await repairs.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            told.Add(body.GetProperty("detail").GetString()!);
        }
        // The column is named with or without its table.
        Assert.All(told, sentence => Assert.Equal($"The audit of repairs cannot be used: {why} {Mend}", sentence.Replace("column r.action", "column \"action\"", StringComparison.Ordinal)));
    }

    /// <summary>Where only the repairing role lost its way in, the look is as before; without the schema the scraping role lacks its functions too.</summary>
    [Theory]
    [InlineData("drop schema harbor_scan cascade", "42P01: relation \"harbor_scan.repair\" does not exist", "3F000: schema \"harbor_scan\" does not exist", "Harbor's database could not be read (permission). Run the SQL of 'harbor-scan-exporter sql' again")]
    [InlineData("revoke usage on schema harbor_scan from {0}", "42501: permission denied for schema harbor_scan", "42501: permission denied for schema harbor_scan", "42501: permission denied for schema harbor_scan")]
    public async Task Without_its_schema_it_is_missing_too(string trouble, string read, string locked, string looked)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await harbor.LoseScanAsync();
        await harbor.Harbor.Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, trouble, harbor.Harbor.RepairRole));

        Assert.Equal($"The audit of repairs cannot be used: {read}. {Mend}", (await Assert.ThrowsAsync<AuditException>(harbor.VerifyAsync)).Message);
        string[] told =
        [
            (await Assert.ThrowsAsync<AuditException>(() => harbor.Run.ResolveIntentsAsync(TestContext.Current.CancellationToken))).Message,
            (await harbor.Pieces.GetRequiredService<Undoing>().UndoAsync(1, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)).Problem!,
        ];
        Assert.All(told, sentence => Assert.Equal($"The audit of repairs cannot be used: {locked}. {Mend}", sentence));
        var run = await harbor.RunAsync();
        Assert.Equal(RunEnd.Failed, run.End);
        Assert.Contains(looked, run.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_servers_own_word_stands_in_a_sentence_without_its_lines_of_detail()
    {
        var error = new PostgresException("relation \"x\" does not exist", "ERROR", "ERROR", "42P01", detail: "more", hint: "look", position: 8);
        Assert.Contains('\n', error.Message);
        Assert.Equal("42P01: relation \"x\" does not exist", FailureReason.Words(error));
        Assert.Equal("two lines", FailureReason.Words(new IOException("two\nlines.")));
    }
}
