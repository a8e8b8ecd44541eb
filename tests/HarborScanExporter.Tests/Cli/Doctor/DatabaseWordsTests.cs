using System.Text.Json.Nodes;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Cli.Doctor;

/// <summary>A PostgreSQL with TLS, and the ways in which it lets a role in.</summary>
public sealed class ClusterWithTls : IAsyncLifetime
{
    private PostgresCluster? _cluster;
    private TestAuthority? _authority;
    private TestHarbor? _harbor;
    private DirectoryInfo? _folder;

    internal TestHarbor Harbor => _harbor!;

    public async ValueTask InitializeAsync()
    {
        _authority = await TestAuthority.CreateAsync();
        // The server takes a key only that is its own alone.
        _folder = Directory.CreateTempSubdirectory("harbor-tls-");
        File.Copy(_authority.Certificate, $"{_folder.FullName}/server.pem");
        File.Copy(_authority.Key, $"{_folder.FullName}/server.key");
        if (Environment.IsPrivilegedProcess) await Tool.RunAsync("chown", ["-R", "postgres", _folder.FullName]);
        _cluster = await PostgresCluster.StartAsync(PostgresCluster.InstalledBinaries(), "ssl = on", $"ssl_cert_file = '{_folder.FullName}/server.pem'", $"ssl_key_file = '{_folder.FullName}/server.key'");
        _harbor = await TestHarbor.CreateAsync(database: await TestDatabase.CreateAsync(_cluster.AdministratorConnectionString, "registry"));
        await _harbor.Database.ExecuteAsync("""
            create role tlsonly login password 'p'; create role rejected login password 'p'; create role unlisted login password 'p'; create role limited login password 'p' connection limit 0;
            """);
        await File.WriteAllLinesAsync(Path.Combine(_cluster.DataFolder, "pg_hba.conf"),
        [
            "local all postgres trust", "host all postgres 127.0.0.1/32 trust", "hostssl all tlsonly 127.0.0.1/32 scram-sha-256",
            "host all rejected 127.0.0.1/32 reject", $"host all limited,{_harbor.Role},nobody 127.0.0.1/32 scram-sha-256",
        ]);
        await _harbor.Database.ExecuteAsync("select pg_reload_conf()");
        await Eventually.HoldsAsync(
            async () => await _harbor.Database.ScalarAsync<long>("select count(*) from pg_hba_file_rules where user_name = '{rejected}'") == 1 && await LetsInNoMoreAsync(),
            TimeSpan.FromSeconds(30), () => "The rules did not come.");
    }

    /// <summary>The file is seen before the server has read it.</summary>
    private async Task<bool> LetsInNoMoreAsync()
    {
        var connection = new NpgsqlConnectionStringBuilder(_harbor!.Database.ConnectionString) { Username = "unlisted", Password = "p", Pooling = false };
        try
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await using var opened = await source.OpenConnectionAsync();
            return false;
        }
        catch (PostgresException)
        {
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_harbor is not null) await _harbor.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        _authority?.Dispose();
        _folder?.Delete(recursive: true);
    }
}

/// <summary>For each way in which the database fails: what log, doctor and /readyz say is the server's own word and what one must do.</summary>
public sealed class DatabaseWordsTests(ClusterWithTls cluster) : IClassFixture<ClusterWithTls>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HARBOR_DATABASE_HOST=localhost HARBOR_DATABASE_SSLMODE=verify-full", "connect", "Exception while performing SSL handshake: The remote certificate was rejected",
        "Name the authority that signed the server's certificate in PGSSLROOTCERT; with verify-full HARBOR_DATABASE_HOST must be a name in it.")]
    [InlineData("HARBOR_DATABASE_USERNAME=tlsonly HARBOR_DATABASE_PASSWORD=p", "auth", "28000: no pg_hba.conf entry for host \"127.0.0.1\", user \"tlsonly\", database \"registry\", no encryption",
        "pg_hba.conf has no line that lets HARBOR_DATABASE_USERNAME in without TLS: set HARBOR_DATABASE_SSLMODE to require or verify-full, or add a line for it.")]
    [InlineData("HARBOR_DATABASE_USERNAME=unlisted HARBOR_DATABASE_PASSWORD=p HARBOR_DATABASE_SSLMODE=require", "auth", "28000: no pg_hba.conf entry for host \"127.0.0.1\", user \"unlisted\"",
        "Add a line to pg_hba.conf that lets HARBOR_DATABASE_USERNAME into HARBOR_DATABASE_DBNAME from the address that the server names.")]
    [InlineData("HARBOR_DATABASE_USERNAME=rejected HARBOR_DATABASE_PASSWORD=p HARBOR_DATABASE_SSLMODE=require", "auth", "28000: pg_hba.conf rejects connection for host \"127.0.0.1\"",
        "Add a line to pg_hba.conf that lets HARBOR_DATABASE_USERNAME into HARBOR_DATABASE_DBNAME from the address that the server names.")]
    [InlineData("HARBOR_DATABASE_PASSWORD=wrong", "auth", "28P01: password authentication failed for user", "Check HARBOR_DATABASE_USERNAME and its password, and the server's pg_hba.conf.")]
    [InlineData("HARBOR_DATABASE_USERNAME=nobody", "auth", "28P01: password authentication failed for user \"nobody\"", "Check HARBOR_DATABASE_USERNAME and its password, and the server's pg_hba.conf.")]
    [InlineData("HARBOR_DATABASE_PASSWORD=", "auth", "No password has been provided but the backend requires one", "Set the password of HARBOR_DATABASE_USERNAME, or its file in HARBOR_DATABASE_PASSWORD_FILE.")]
    [InlineData("HARBOR_DATABASE_DBNAME=registri", "connect", "3D000: database \"registri\" does not exist", "Check HARBOR_DATABASE_DBNAME: Harbor's database is called registry unless told otherwise.")]
    [InlineData("HARBOR_DATABASE_USERNAME=limited HARBOR_DATABASE_PASSWORD=p", "connect", "53300: too many connections for role \"limited\"",
        "The connection limit of the role is used up: end what else signs in by HARBOR_DATABASE_USERNAME, or raise it with alter role … connection limit.")]
    [InlineData("HARBOR_DATABASE_HOST=no-such-host.invalid", "connect", "Name or service not known", "Check HARBOR_DATABASE_HOST: no address is known for that name.")]
    [InlineData("HARBOR_DATABASE_PORT=1", "connect", "Failed to connect to 127.0.0.1:1: Connection refused", "Check HARBOR_DATABASE_HOST, _PORT, _DBNAME and _SSLMODE, that the server runs, and that its connections are not exhausted.")]
    public async Task By_settings(string changes, string reason, string words, string mend) =>
        await AssertToldAsync([.. changes.Split(' ').Select(change => change.Split('=', 2)).Select(change => (change[0], change[1]))], reason, words, mend);

    [Theory]
    [InlineData("57P03", "the database system is starting up", "connect", "The server is starting, stopping or recovering: wait. When it stays so, look at its log.")]
    [InlineData("57P01", "terminating connection due to administrator command", "connect", "The server was stopped, or ended this session; the next scrape tries again.")]
    [InlineData("53300", "sorry, too many clients already", "connect", "The server has no connection left: raise max_connections")]
    [InlineData("53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute", "connect", "The server has no connection left: raise max_connections")]
    [InlineData("53100", "could not extend file: No space left on device", "other", "The disk of the server is full: free space there.")]
    [InlineData("53200", "out of memory", "other", "The server ran out of what it names: look at its memory and its log.")]
    [InlineData("58030", "could not read block 3", "other", "The server cannot read or write its files: look at its disk and its log.")]
    [InlineData("28000", "connection requires a valid client certificate", "auth", "The server wants a certificate of the client, which the exporter has not")]
    [InlineData("28000", "role \"x\" does not exist", "auth", "Check HARBOR_DATABASE_USERNAME, or make the role with the SQL of 'harbor-scan-exporter sql'.")]
    [InlineData("28000", "role \"x\" is not permitted to log in", "auth", "Check HARBOR_DATABASE_USERNAME and its password, and the server's pg_hba.conf.")]
    [InlineData("40001", "canceling statement due to conflict with recovery", "other", "The standby ended the read to go on with its replication")]
    [InlineData("25006", "cannot execute in a read-only transaction", "other", "The server or the role is read-only: let HARBOR_DATABASE_HOST name the primary")]
    [InlineData("08P01", "no such database: registry", "connect", "Check HARBOR_DATABASE_HOST, _PORT, _DBNAME and _SSLMODE")]
    public async Task By_what_the_server_says(string state, string message, string reason, string mend)
    {
        await using var server = SpeakingServer.RefusingAsPostgres(state, message);
        await AssertToldAsync([("HARBOR_DATABASE_PORT", $"{server.Port}")], reason, $"{state}: {message}", mend);
    }

    [Fact]
    public async Task A_server_without_TLS()
    {
        await using var server = SpeakingServer.Saying("N");
        await AssertToldAsync([("HARBOR_DATABASE_PORT", $"{server.Port}"), ("HARBOR_DATABASE_SSLMODE", "require")], "connect", "SSL connection requested. No SSL enabled connection from this host is configured",
            "The server takes no TLS, which HARBOR_DATABASE_SSLMODE asks for");
    }

    [Theory]
    [InlineData("nothing", "Could not find file")]
    [InlineData("nonsense", "Exception while performing SSL handshake")]
    public async Task A_file_of_the_authority_that_is_missing_or_is_none(string content, string words)
    {
        var file = Path.GetTempFileName();
        if (content == "nothing") File.Delete(file);
        else await File.WriteAllTextAsync(file, content, Token);
        // A variable of the whole process.
        var environment = cluster.Harbor.Environment(("HARBOR_DATABASE_HOST", "localhost"), ("HARBOR_DATABASE_SSLMODE", "verify-full"), ("PGSSLROOTCERT", file));
        const string mend = "Mount the file of PGSSLROOTCERT, which must hold the authority";
        await using var exporter = await ExporterProcess.StartAsync(environment);
        await exporter.ScrapeAsync();
        var ready = await exporter.GetAsync("/readyz");
        Assert.StartsWith($"not ready (connect). {mend}", ready, StringComparison.Ordinal);
        Assert.Contains(words, ready, StringComparison.Ordinal);
        Assert.Contains("The collection failed (connect): ", exporter.Log, StringComparison.Ordinal);
        Assert.Contains(mend, exporter.Log, StringComparison.Ordinal);
        var doctor = await ExporterProcess.RunAsync(environment, "doctor");
        Assert.Contains("PGSSLROOTCERT", doctor.Output, StringComparison.Ordinal);
        File.Delete(file);
    }

    private async Task AssertToldAsync((string Name, string Value)[] changes, string reason, string words, string mend, Action? begin = null)
    {
        var environment = cluster.Harbor.Environment(changes);
        await using var exporter = await RunningExporter.StartAsync(environment);
        begin?.Invoke();
        var scrape = await exporter.ScrapeAsync();
        Assert.Equal(1, scrape.Value("harbor_scan_collection_failures_total", ("reason", reason)));
        var log = Assert.Single(exporter.Warnings, warning => warning.StartsWith("The collection failed", StringComparison.Ordinal));
        Assert.StartsWith($"The collection failed ({reason}): ", log, StringComparison.Ordinal);
        Assert.Contains(words, log, StringComparison.Ordinal);
        Assert.Contains(mend, log, StringComparison.Ordinal);
        using var answer = await exporter.Client.GetAsync(new Uri("/readyz", UriKind.Relative), Token);
        var ready = await answer.Content.ReadAsStringAsync(Token);
        Assert.StartsWith($"not ready ({reason}). {mend}", ready, StringComparison.Ordinal);
        Assert.Contains(words, ready, StringComparison.Ordinal);
        if (begin is not null) return;
        var doctor = await CommandRun.DoctorAsync(environment, DoctorOutput.Json);
        var line = JsonNode.Parse(doctor.Output)!["checks"]!.AsArray().Single(line => (string?)line!["name"] == "database")!;
        Assert.Equal("failed", (string?)line["result"]);
        Assert.Contains($"({reason}): ", (string?)line["reason"], StringComparison.Ordinal);
        Assert.Contains(words, (string?)line["reason"], StringComparison.Ordinal);
        Assert.StartsWith(mend, (string?)line["mend"], StringComparison.Ordinal);
    }
}
