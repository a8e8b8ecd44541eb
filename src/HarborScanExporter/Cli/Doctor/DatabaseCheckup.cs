using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using Npgsql;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Tries Harbor's database: the connection, the session, the role's grants, the schema and the clock.</summary>
internal static class DatabaseCheckup
{
    private const string Reach = "database";

    private const int OldestServer = 12;
    private const int NewestServer = 18;

    /// <summary>A standby this far behind shows scans as they were.</summary>
    private const double NoticeableLag = 60;

    private const string SessionSql = """
        select current_setting('server_version_num')::int / 10000,
               split_part(current_setting('server_version'), ' ', 1),
               pg_is_in_recovery(),
               coalesce(case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from pg_last_wal_replay_lsn()
                    then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end, 0)::float8,
               coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false),
               current_setting('transaction_read_only') = 'on',
               coalesce((select s.setting ilike 'default_transaction_read_only=on' from pg_db_role_setting r, unnest(r.setconfig) as s(setting)
                    where r.setrole = (select oid from pg_roles where rolname = current_user) and s.setting ilike 'default_transaction_read_only=%' limit 1), false),
               extract(epoch from clock_timestamp())::float8
        """;

    /// <summary>Tries it.</summary>
    /// <returns>The lines, and the database's clock when it was read.</returns>
    public static async Task<(IReadOnlyList<CheckupLine> Lines, SeenClock? Clock)> RunAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var where = $"{settings.Database.Name} at {settings.Database.Host}:{settings.Database.Port}";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(2 * Checkup.Limit);
        List<CheckupLine> lines = [];
        SeenClock? clock = null;
        try
        {
            await using var database = new HarborDatabase(settings.Database, Checkup.Limit);
            var begun = time.GetTimestamp();
            // A frozen network holds a cancelled call for half a minute.
            await using var snapshot = await database.BeginAsync(Checkup.Limit, limit.Token).WaitAsync(Checkup.Limit, TimeProvider.System, cancellationToken);
            lines.Add(CheckupLine.Ok(Reach, $"{where} answers {settings.Database.Username} in {time.GetElapsedTime(begun).TotalMilliseconds:0} ms."));
            clock = await ReadSessionAsync(snapshot, settings, time, lines, limit.Token);
            lines.AddRange(await GrantsCheckup.RunAsync(snapshot, limit.Token));
            lines.AddRange(await ReadSchemaAsync(snapshot, limit.Token));
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever is wrong with the database is what is asked for.
            lines.Add(CheckupLine.Failed(Reach, $"{where} cannot be read ({FailureReason.Of(error)}): {FailureReason.Words(error)}.", FailureReason.Mend(error)));
        }
        return (lines, clock);
    }

    private static async Task<SeenClock> ReadSessionAsync(Snapshot snapshot, ExporterSettings settings, TimeProvider time, List<CheckupLine> lines, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SessionSql, snapshot.Connection, snapshot.Transaction);
        var before = time.GetUtcNow();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var after = time.GetUtcNow();
        await row.ReadAsync(cancellationToken);
        var (major, version) = (row.GetInt32(0), row.GetString(1));
        lines.Add(major is >= OldestServer and <= NewestServer
            ? CheckupLine.Ok("server version", $"PostgreSQL {version}.")
            : CheckupLine.Warning("server version", $"PostgreSQL {version} is none of the versions {OldestServer} to {NewestServer} that this exporter is tested with.",
                major < OldestServer ? $"Upgrade PostgreSQL to {OldestServer} or later." : "Look for a newer exporter; until then watch harbor_scan_up."));
        var (standby, lag) = (row.GetBoolean(2), row.GetDouble(3));
        lines.Add(!standby ? CheckupLine.Ok("primary", "The server is a primary.")
            : lag > NoticeableLag ? CheckupLine.Warning("standby", $"The server is a standby and {Words.Duration(lag)} behind.", "Look at the replication, or read from the primary.")
            : CheckupLine.Ok("standby", $"The server is a standby, {Words.Duration(lag)} behind."));
        lines.Add(row.GetBoolean(4) ? CheckupLine.Ok("database tls", "The connection is encrypted.")
            : settings.Database.SslMode is "disable" or "allow" or "prefer"
                ? CheckupLine.Ok("database tls", $"The connection is not encrypted, as {Setting.Names.DatabaseSslMode}={settings.Database.SslMode} allows.")
                : CheckupLine.Warning("database tls", $"The server sees no encryption though {Setting.Names.DatabaseSslMode} is {settings.Database.SslMode}: a proxy between ends it.", "Encrypt the way from the proxy to the server too, or see that it is short."));
        lines.Add(!row.GetBoolean(5)
            ? CheckupLine.Failed("read-only session", "The transaction is not read-only.", "Look at what stands between the exporter and PostgreSQL: it drops SET TRANSACTION.")
            : row.GetBoolean(6)
                ? CheckupLine.Ok("read-only session", "Every transaction is read-only, by the exporter and by the role.")
                : CheckupLine.Warning("read-only session", "Transactions are read-only by the exporter's word alone; the role's default is not.", FailureReason.Mend(FailureReason.Permission)));
        return SeenClock.Between("the database's", before, row.GetDouble(7), after);
    }

    private static async Task<IReadOnlyList<CheckupLine>> ReadSchemaAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            var facts = await snapshot.ReadAsync(SchemaProbe.ReadAsync, cancellationToken);
            var schema = $"Schema version {facts.SchemaVersion}, Harbor {HarborSchema.Releases(facts.SchemaVersion)}, not dirty.";
            return
            [
                facts.SchemaVersion > HarborSchema.NewestKnown
                    ? CheckupLine.Warning("schema", $"{schema} The newest known to this exporter is {HarborSchema.NewestKnown}.", "Rows are read as usual: look for a newer exporter.")
                    : CheckupLine.Ok("schema", schema),
                facts.CanReadMode
                    ? CheckupLine.Ok("read-only view", "The role may read harbor_scan.read_only.")
                    : CheckupLine.Skipped("read-only view", "There is no harbor_scan.read_only, or the role may not read it: Harbor's read-only mode is seen only by the API.",
                        "To see it without the API run the second part of 'harbor-scan-exporter sql'."),
            ];
        }
        catch (UnreadableSchemaException error)
        {
            return [CheckupLine.Failed("schema", error.Message, FailureReason.Mend(FailureReason.Schema))];
        }
        catch (PostgresException error)
        {
            return [CheckupLine.Failed("schema", $"schema_migrations cannot be read: {FailureReason.Words(error)}.", FailureReason.Mend(error))];
        }
    }
}
