using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using Npgsql;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Where a role's session has ended up.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="Id">Its oid.</param>
/// <param name="Started">When its server was started, seconds since 1970, to the microsecond: no two servers share it.</param>
internal sealed record ReachedDatabase(string Database, long Id, double Started);

/// <summary>Tries what repairs rest on besides the rest: the second role, its server, its rights, the pause and the API. Nothing is written.</summary>
internal static class RepairsCheckup
{
    private const string Mode = "repairs";
    private const string SignIn = "repair role";
    private const string Same = "repair database";

    private const string SessionSql = """
        select current_database()::text, (select oid::bigint from pg_database where datname = current_database()),
               extract(epoch from pg_postmaster_start_time())::float8, pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'
        """;

    /// <summary>Tries it.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var remediation = settings.Remediation;
        if (remediation.Mode == RemediationMode.Off) return [CheckupLine.Skipped(Mode, $"{Setting.Names.Remediation} is off: nothing is repaired.")];
        return
        [
            CheckupLine.Ok(Mode, $"{Setting.Names.Remediation} is {remediation.Mode.Word()}: repairs are {(remediation.Mode == RemediationMode.Execute ? "written" : "tried and rolled back")}"
                + $"{(settings.Operations is null ? $", asked for by the command repair alone, as {Setting.Names.OperationsListen} is not set" : "")}."),
            .. await TryRoleAsync(settings, time, cancellationToken),
            Pause(remediation.PauseFile),
            Api(settings),
        ];
    }

    /// <summary>Whether both roles see the same rows.</summary>
    /// <param name="scraped">Where the scraping role ended up; null when it cannot sign in.</param>
    /// <param name="repaired">Where the repairing role did.</param>
    public static CheckupLine Compare(ReachedDatabase? scraped, ReachedDatabase repaired) =>
        scraped is null ? CheckupLine.Skipped(Same, "The scraping role cannot sign in, so where it ends up is not known.")
        : scraped == repaired ? CheckupLine.Ok(Same, $"Both roles reach the database {repaired.Database} of the same server.")
        : CheckupLine.Failed(Same,
            $"The scraping role reaches {scraped.Database} of a server started {Words.Time(scraped.Started)}, the repairing role {repaired.Database} of one started {Words.Time(repaired.Started)}.",
            $"Let {Setting.Names.DatabaseHost} name one server, the primary, and behind PgBouncer send both users to the same database.");

    private static async Task<IReadOnlyList<CheckupLine>> TryRoleAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var signIn = settings.Remediation.SignIn(settings.Database);
        var where = $"{signIn.Name} at {signIn.Host}:{signIn.Port}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(2 * Checkup.Limit);
        var scraping = ScrapingAsync(settings, limit.Token);
        List<CheckupLine> lines = [];
        try
        {
            // A snapshot is read-only, whichever role opens it.
            await using var database = new HarborDatabase(signIn, Checkup.Limit);
            var begun = time.GetTimestamp();
            await using var snapshot = await database.BeginAsync(Checkup.Limit, limit.Token).WaitAsync(Checkup.Limit, TimeProvider.System, cancellationToken);
            lines.Add(CheckupLine.Ok(SignIn, $"{where} answers {signIn.Username} in {time.GetElapsedTime(begun).TotalMilliseconds:0} ms."));
            var (reached, standby, readOnly) = await SessionAsync(snapshot, limit.Token);
            var (scraped, audit) = await scraping;
            lines.Add(Compare(scraped, reached));
            lines.Add(standby
                ? CheckupLine.Failed("repair server", "The server is a standby, where nothing can be written.", $"Let {Setting.Names.DatabaseHost} name the primary.")
                : readOnly
                    ? CheckupLine.Failed("repair server", $"Transactions of {signIn.Username} are read-only by default.", $"In psql: alter role \"{signIn.Username}\" set default_transaction_read_only = off")
                    : CheckupLine.Ok("repair server", "The server is a primary, and the role may begin transactions that write."));
            lines.AddRange(await RepairGrantsCheckup.RunAsync(snapshot, settings.Remediation, limit.Token));
            if (audit is not null) lines.Add(audit);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever is wrong with the role is what is asked for.
            var mend = DatabaseMend.Of(error, DatabaseMend.SignIn.Repairing) ?? (FailureReason.Of(error) == FailureReason.Auth
                ? $"Make the role with the SQL of 'harbor-scan-exporter sql', set its password with \\password, and check {Setting.Names.RemediationDatabaseUsername}, its password, and the server's pg_hba.conf."
                : FailureReason.Mend(error));
            lines.Add(CheckupLine.Failed(SignIn, $"{where} cannot be used by {signIn.Username} ({FailureReason.Of(error)}): {FailureReason.Words(error)}.", mend));
        }
        finally
        {
            await scraping;
        }
        return lines;
    }

    /// <summary>Where the scraping role ends up and what it may read of the audit; nothing when it cannot sign in, which is a line of its own.</summary>
    private static async Task<(ReachedDatabase? Reached, CheckupLine? Audit)> ScrapingAsync(ExporterSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            await using var database = new HarborDatabase(settings.Database, Checkup.Limit);
            await using var snapshot = await database.BeginAsync(Checkup.Limit, cancellationToken).WaitAsync(Checkup.Limit, TimeProvider.System, cancellationToken);
            return ((await SessionAsync(snapshot, cancellationToken)).Reached, await RepairGrantsCheckup.ScrapedAsync(snapshot, cancellationToken));
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException or TimeoutException or IOException or UnauthorizedAccessException)
        {
            return (null, null);
        }
    }

    private static async Task<(ReachedDatabase Reached, bool Standby, bool ReadOnly)> SessionAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SessionSql, snapshot.Connection, snapshot.Transaction);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (new ReachedDatabase(row.GetString(0), row.GetInt64(1), row.GetDouble(2)), row.GetBoolean(3), row.GetBoolean(4));
    }

    private static CheckupLine Pause(string? path)
    {
        const string name = "repair pause";
        if (path is null) return CheckupLine.Ok(name, $"{Setting.Names.RemediationPauseFile} is not set: repairs cannot be paused by a file.");
        return new PauseFile(path).Reason() is not { } reason
            ? CheckupLine.Ok(name, $"There is no {path}: repairs are not paused.")
            : CheckupLine.Warning(name, $"Repairs are paused by {path}{(reason.Length > 0 ? $": {reason.TrimEnd('.')}" : "")}.", "Remove the file when what it is there for is over.");
    }

    private static CheckupLine Api(ExporterSettings settings)
    {
        const string name = "repair api";
        if (settings.Api is not { } api)
        {
            return CheckupLine.Skipped(name, $"{Setting.Names.ApiUsername} is not set: jobs are not stopped, and hung scans are left alone.",
                "Name a user of Harbor's API that may stop jobs.");
        }
        string[] acts = ["stop jobs", .. settings.Remediation.Rescan ? ["scan"] : Array.Empty<string>(), .. settings.Remediation.Robots ? ["delete robot accounts"] : Array.Empty<string>()];
        return CheckupLine.Skipped(name, $"Whether {api.Username} may {string.Join(", ", acts)} cannot be proved without doing it; what it may see is told above.",
            "Watch the first repairs: a refusal is a failure with the reason api_denied.");
    }
}
