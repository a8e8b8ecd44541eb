using HarborScanExporter.Tests.Support;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Tests.Alerts;

public sealed class RunbookSqlTests
{
    /// <summary>Tables that older releases do not have, and the runbooks say so.</summary>
    private static readonly string[] s_youngTables = ["sbom_report", "job_queue_status"];

    public static TheoryData<string> Releases { get; } = ["2.2.0", "2.8.0", "2.11.0", "2.15.2"];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Every_statement_is_valid_on_Harbors_tables(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await harbor.GrantRemediationAsync();
        await using var connection = await harbor.Database.OpenAsync();
        var statements = Runbooks.Blocks("sql");
        Assert.True(statements.Count > AlertRules.Alerts.Count);
        var run = 0;
        foreach (var statement in statements)
        {
            if (release is "2.2.0" && s_youngTables.Any(table => statement.Text.Contains(table, StringComparison.Ordinal))) continue;
            if (release is "2.8.0" && statement.Text.Contains("sbom_report", StringComparison.Ordinal)) continue;
            await RunAsync(connection, statement);
            run++;
        }
        Assert.True(run > AlertRules.Alerts.Count);
    }

    [Fact]
    public void Diagnosis_only_reads_and_a_repair_names_its_rows() => Assert.All(Runbooks.Blocks("sql"), statement =>
    {
        if (statement.Heading == "Diagnosis") Assert.StartsWith("select", statement.Text, StringComparison.Ordinal);
        else
        {
            Assert.Equal("Repair", statement.Heading);
            Assert.Matches(@"where (e\.)?(id|execution_id) = ", statement.Text);
        }
        Assert.DoesNotMatch(@"(?i)\b(delete|drop|truncate|alter|insert)\b", statement.Text);
    });

    [Fact]
    public void A_status_is_never_written_without_its_code() => Assert.All(
        Runbooks.Blocks("sql").Where(statement => statement.Text.StartsWith("update task", StringComparison.Ordinal)),
        statement => Assert.Contains("status_code = 3", statement.Text, StringComparison.Ordinal));

    /// <summary>The repairs do what the runbooks say, on rows that they say it of.</summary>
    [Fact]
    public async Task The_repair_of_a_lost_task_ends_it_and_its_execution()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var connection = await database.OpenAsync();
        await HarborSchema.CreateAsync(connection, HarborRelease.Parse("2.11.0"), TestContext.Current.CancellationToken);
        await database.ExecuteAsync("""
            insert into execution (id, vendor_type, vendor_id, status, trigger, revision, start_time, update_time, extra_attrs)
            values (164617, 'IMAGE_SCAN', 1, 'Running', 'MANUAL', 7, now() at time zone 'utc', now() at time zone 'utc', '{}');
            insert into task (id, execution_id, vendor_type, job_id, status, status_code, status_revision, run_count, extra_attrs)
            values (307257, 164617, 'IMAGE_SCAN', 'd318c1b17dff242a33f02544', 'Pending', 0, 0, 0, '{"report_uuids": ["u1"]}'),
                   (307258, 164617, 'IMAGE_SCAN', 'd318c1b17dff242a33f02545', 'Success', 3, 1, 1, '{"report_uuids": ["u2"]}');
            """);
        var repair = Runbooks.Blocks("sql").Where(block => block is { Runbook: "HarborScanLost", Heading: "Repair" }).ToList();
        Assert.Equal(3, repair.Count);
        await database.ExecuteAsync($"begin; {string.Join('\n', repair.Select(block => block.Text))} commit;");
        Assert.Equal("Error 3 t", await database.ScalarAsync<string>(
            "select status || ' ' || status_code || ' ' || (end_time is not null)::text::char(1) from task where id = 307257"));
        Assert.Equal("Success", await database.ScalarAsync<string>("select status from task where id = 307258"));
        Assert.Equal("Error 8 t", await database.ScalarAsync<string>(
            "select status || ' ' || revision || ' ' || (end_time is not null)::text::char(1) from execution where id = 164617"));
    }

    private static async Task RunAsync(NpgsqlConnection connection, RunbookBlock statement)
    {
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        if (statement.Heading == "Diagnosis")
        {
            await using var readOnly = new NpgsqlCommand("set transaction read only", connection, transaction);
            await readOnly.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await using var command = new NpgsqlCommand(statement.Text, connection, transaction);
        try
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        catch (PostgresException error)
        {
            Assert.Fail($"{statement.Runbook}, {statement.Heading}: {error.MessageText}\n{statement.Text}");
        }
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
    }
}
