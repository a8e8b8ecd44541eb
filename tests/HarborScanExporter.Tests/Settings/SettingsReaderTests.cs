using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Settings;

public sealed class SettingsReaderTests
{
    private static readonly (string Name, string Value)[] Least = [("HARBOR_DATABASE_HOST", "db"), ("HARBOR_DATABASE_USERNAME", "scraper")];

    private static readonly (string Name, string Value)[] Armed =
    [
        ("HARBOR_SCAN_REMEDIATION", "execute"), ("HARBOR_REDIS_URL", "redis://redis/1"),
        ("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "repairer"), ("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD", "hunter2"),
    ];

    [Fact]
    public void Host_and_username_suffice_and_everything_else_has_its_documented_default()
    {
        var settings = Read(Least).Settings!;
        Assert.Equal(("db", 5432, "scraper", "registry", "disable"),
            (settings.Database.Host, settings.Database.Port, settings.Database.Username, settings.Database.Name, settings.Database.SslMode));
        Assert.Equal("http://*:10988", settings.Listen);
        Assert.Equal(TimeSpan.FromSeconds(10), settings.ScrapeTimeout);
        Assert.Equal(TimeSpan.FromHours(24), settings.MaxJobDuration);
        Assert.Equal(new TimeSpan(2, 10, 0), settings.LostAfter);
        Assert.Equal(TimeSpan.FromHours(2), settings.RunningLimit);
        Assert.Equal(TimeSpan.FromMinutes(5), settings.Settle);
        Assert.Equal([60, 300, 900, 3600, 10800, 21600, 86400, 604800], settings.AgeThresholds.Select(threshold => (int)threshold.TotalSeconds));
    }

    [Fact]
    public void The_environment_file_of_Harbors_own_exporter_works_unchanged()
    {
        var reading = Read(
        [
            ("HARBOR_DATABASE_HOST", "postgresql"), ("HARBOR_DATABASE_PORT", "5432"), ("HARBOR_DATABASE_USERNAME", "postgres"),
            ("HARBOR_DATABASE_PASSWORD", "root123"), ("HARBOR_DATABASE_DBNAME", "registry"), ("HARBOR_DATABASE_SSLMODE", "disable"),
            ("HARBOR_DATABASE_MAX_IDLE_CONNS", "100"), ("HARBOR_DATABASE_MAX_OPEN_CONNS", "900"),
            ("HARBOR_REDIS_URL", "redis://redis:6379/2?idle_timeout_seconds=30"), ("HARBOR_REDIS_NAMESPACE", "harbor_job_service_namespace"),
            ("HARBOR_REDIS_TIMEOUT", "3600"), ("HARBOR_SERVICE_SCHEME", "http"), ("HARBOR_SERVICE_HOST", "core"), ("HARBOR_SERVICE_PORT", "8080"),
            ("HARBOR_EXPORTER_PORT", "9090"), ("HARBOR_EXPORTER_METRICS_PATH", "/metrics"), ("LOG_LEVEL", "info"),
        ]);
        Assert.Empty(reading.Errors);
        Assert.Equal(("postgresql", "postgres", "root123"),
            (reading.Settings!.Database.Host, reading.Settings.Database.Username, reading.Settings.Database.Password));
    }

    [Fact]
    public void A_missing_setting_is_named_with_its_flag() =>
        Assert.Equal(
            ["HARBOR_DATABASE_HOST is not set. Set it, or give --database-host.", "HARBOR_DATABASE_USERNAME is not set. Set it, or give --database-username."],
            Read([]).Errors);

    [Theory]
    [InlineData("HARBOR_DATABASE_PORT", "five", "HARBOR_DATABASE_PORT: five is no port. Give a number from 1 to 65535.")]
    [InlineData("HARBOR_DATABASE_PORT", "65536", "HARBOR_DATABASE_PORT: 65536 is no port. Give a number from 1 to 65535.")]
    [InlineData("HARBOR_DATABASE_SSLMODE", "verify", "HARBOR_DATABASE_SSLMODE: verify is unknown. Give one of disable, allow, prefer, require, verify-ca, verify-full.")]
    [InlineData("HARBOR_SCAN_SCRAPE_TIMEOUT", "10", "HARBOR_SCAN_SCRAPE_TIMEOUT: 10 is no duration. Write it as Prometheus does, for example 90s, 2h10m or 7d.")]
    [InlineData("HARBOR_SCAN_SCRAPE_TIMEOUT", "1ms", "HARBOR_SCAN_SCRAPE_TIMEOUT: 1ms is out of range. Give 1s to 10m.")]
    [InlineData("HARBOR_SCAN_RECONCILIATION_INTERVAL", "2d", "HARBOR_SCAN_RECONCILIATION_INTERVAL: 2d is out of range. Give 0, or 1s to 1d.")]
    [InlineData("HARBOR_SCAN_RECONCILIATION_INTERVAL", "1ms", "HARBOR_SCAN_RECONCILIATION_INTERVAL: 1ms is out of range. Give 0, or 1s to 1d.")]
    [InlineData("HARBOR_SCAN_MAX_JOB_DURATION", "23h", "HARBOR_SCAN_MAX_JOB_DURATION: 23h is out of range. Give 1d to 365d.")]
    [InlineData("HARBOR_SCAN_LOST_AFTER", "1h", "HARBOR_SCAN_LOST_AFTER: 1h is out of range. Give 1h5m to 365d.")]
    [InlineData("HARBOR_SCAN_LISTEN", "localhost:10988", "HARBOR_SCAN_LISTEN: localhost:10988 is no address to listen on. Give http://<address>:<port>, for example http://0.0.0.0:10988.")]
    [InlineData("HARBOR_SCAN_LISTEN", "https://0.0.0.0:1", "HARBOR_SCAN_LISTEN: https://0.0.0.0:1 is no address to listen on. Give http://<address>:<port>, for example http://0.0.0.0:10988.")]
    [InlineData("HARBOR_SCAN_LISTEN", "http://ip6-localhost:10988", "HARBOR_SCAN_LISTEN: ip6-localhost is a name. Give an address of this machine, localhost, or * for every address.")]
    [InlineData("HARBOR_SCAN_LISTEN", "http://exporter.example:10988", "HARBOR_SCAN_LISTEN: exporter.example is a name. Give an address of this machine, localhost, or * for every address.")]
    [InlineData("HARBOR_SCAN_LISTEN", "http://localhost.:10988", "HARBOR_SCAN_LISTEN: localhost. is a name. Give an address of this machine, localhost, or * for every address.")]
    [InlineData("HARBOR_SCAN_LISTEN", "http://my_host:10988", "HARBOR_SCAN_LISTEN: my_host is a name. Give an address of this machine, localhost, or * for every address.")]
    [InlineData("HARBOR_SCAN_LISTEN", "http://*", "HARBOR_SCAN_LISTEN: http://* is no address to listen on. Give http://<address>:<port>, for example http://0.0.0.0:10988.")]
    [InlineData("HARBOR_SCAN_COLLECTORS_ENABLED", "remediation", "HARBOR_SCAN_COLLECTORS_ENABLED names remediation, which tells of repairs, and HARBOR_SCAN_REMEDIATION is off. Take the name out.")]
    [InlineData("HARBOR_SCAN_COLLECTORS_ENABLED", "tasks,task", "HARBOR_SCAN_COLLECTORS_ENABLED: there is no collector task. Choose from executions, tasks, scan_all, robots, sweep, sweepable, orphan_reports, remediation, jobservice, diagnosis, database.")]
    [InlineData("HARBOR_SCAN_AGE_THRESHOLDS", "5m,1m", "HARBOR_SCAN_AGE_THRESHOLDS: the thresholds do not rise. Order them and remove doubles.")]
    [InlineData("HARBOR_SCAN_AGE_THRESHOLDS", "5m,,6m", "HARBOR_SCAN_AGE_THRESHOLDS:  is no duration of a second or more. Write it as Prometheus does, for example 90s, 2h10m or 7d.")]
    [InlineData("HARBOR_SCAN_AGE_THRESHOLDS", "1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s,17s", "HARBOR_SCAN_AGE_THRESHOLDS: 17 thresholds are too many. Give at most 16; each adds nine series.")]
    [InlineData("HARBOR_SCAN_SCRAPE_TIMOUT", "5s", "HARBOR_SCAN_SCRAPE_TIMOUT is no setting of this program; did you mean HARBOR_SCAN_SCRAPE_TIMEOUT? Remove it or correct its name.")]
    [InlineData("HARBOR_SCAN_COLOUR_OF_THE_LOGO", "blue", "HARBOR_SCAN_COLOUR_OF_THE_LOGO is no setting of this program. Remove it or correct its name.")]
    public void A_bad_value_stops_the_start_with_the_setting_and_the_mend(string name, string value, string error)
    {
        var reading = Read([.. Least, (name, value)]);
        Assert.Equal([error], reading.Errors);
        Assert.Null(reading.Settings);
    }

    [Fact]
    public void All_mistakes_are_told_at_once() =>
        Assert.Equal(3, Read([("HARBOR_DATABASE_HOST", "db"), ("HARBOR_DATABASE_PORT", "x"), ("HARBOR_SCAN_SETTLE", "x")]).Errors.Count);

    [Fact]
    public void A_collector_cannot_be_both_enabled_and_disabled() =>
        Assert.Equal(
            ["HARBOR_SCAN_COLLECTORS_ENABLED and HARBOR_SCAN_COLLECTORS_DISABLED both name robots. Name it in one of them."],
            Read([.. Least, ("HARBOR_SCAN_COLLECTORS_ENABLED", "robots,sweepable"), ("HARBOR_SCAN_COLLECTORS_DISABLED", "robots")]).Errors);

    [Fact]
    public void A_password_and_a_password_file_contradict_each_other() =>
        Assert.Contains("HARBOR_DATABASE_PASSWORD and HARBOR_DATABASE_PASSWORD_FILE are both set. Keep one of them.",
            Read([.. Least, ("HARBOR_DATABASE_PASSWORD", "x"), ("HARBOR_DATABASE_PASSWORD_FILE", Path.GetTempPath())]).Errors);

    [Fact]
    public void A_password_file_that_is_not_there_is_named() =>
        Assert.Equal(["HARBOR_DATABASE_PASSWORD_FILE: there is no readable file /no/such/file. Mount it, or correct the path."],
            Read([.. Least, ("HARBOR_DATABASE_PASSWORD_FILE", "/no/such/file")]).Errors);

    [Fact]
    public void Variables_that_Kubernetes_writes_for_services_are_passed_over()
    {
        var reading = Read(
        [
            .. Least,
            ("HARBOR_SCAN_EXPORTER_SERVICE_HOST", "10.0.0.1"), ("HARBOR_SCAN_EXPORTER_SERVICE_PORT", "10988"), ("HARBOR_SCAN_EXPORTER_SERVICE_PORT_METRICS", "10988"),
            ("HARBOR_SCAN_EXPORTER_PORT", "tcp://10.0.0.1:10988"), ("HARBOR_SCAN_EXPORTER_PORT_10988_TCP", "tcp://10.0.0.1:10988"),
            ("HARBOR_SCAN_EXPORTER_PORT_10988_TCP_PROTO", "tcp"), ("HARBOR_SCAN_EXPORTER_PORT_10988_TCP_PORT", "10988"),
            ("HARBOR_SCAN_EXPORTER_PORT_10988_TCP_ADDR", "10.0.0.1"), ("HARBOR_DATABASE_PORT", "tcp://10.0.0.2:5432"),
        ]);
        Assert.Empty(reading.Errors);
        Assert.Equal(9, reading.Ignored.Count);
        Assert.Equal(5432, reading.Settings!.Database.Port);
    }

    [Fact]
    public void The_host_and_port_that_Kubernetes_writes_for_a_service_called_harbor_start_no_client_of_the_API()
    {
        var reading = Read([.. Least, ("HARBOR_SERVICE_HOST", "10.0.0.3"), ("HARBOR_SERVICE_PORT", "80"), ("HARBOR_PORT", "tcp://10.0.0.3:80"), ("HARBOR_SERVICE_PORT_HTTP", "80")]);
        Assert.Empty(reading.Errors);
        Assert.Null(reading.Settings!.Api);
        var named = Read([.. Least, ("HARBOR_SERVICE_HOST", "core"), ("HARBOR_SERVICE_PORT", "8080"), ("HARBOR_API_USERNAME", "robot$scan"), ("HARBOR_API_PASSWORD", "hunter2")]);
        Assert.Equal(new Uri("http://core:8080/"), named.Settings!.Api!.Address);
    }

    [Fact]
    public void The_job_services_Redis_is_read_from_Harbors_own_URL_or_from_a_file_and_a_file_may_come_later()
    {
        var settings = Read([.. Least, ("HARBOR_REDIS_URL", " redis://:hunter2@redis:6379/1\n")]).Settings!;
        Assert.Equal(("redis://redis:6379/1", "hunter2", "harbor_job_service_namespace"),
            (settings.JobService!.Redis!.Address, settings.JobService.Redis.Password, settings.JobService.Namespace));
        Assert.DoesNotContain("hunter2", string.Join('\n', settings.Shown.Values), StringComparison.Ordinal);
        Assert.Null(Read(Least).Settings!.JobService);
        var file = Written("redis://:hunter2@redis:6379/1\n");
        var fromFile = Read([.. Least, ("HARBOR_REDIS_URL_FILE", file), ("HARBOR_REDIS_NAMESPACE", "mine")]).Settings!;
        Assert.Equal((file, "redis://:hunter2@redis:6379/1"), (fromFile.JobService!.UrlFile!.Path, fromFile.JobService.UrlFile.Read()));
        File.Delete(file);
    }

    [Theory]
    [InlineData("HARBOR_REDIS_URL=http://:hunter2@redis/1", "HARBOR_REDIS_URL: it begins with none of redis://, rediss://, redis+sentinel://, rediss+sentinel://. Take Harbor's own URL of the job service's Redis.")]
    [InlineData("HARBOR_REDIS_URL_FILE=/no/such/file", "HARBOR_REDIS_URL_FILE: there is no readable file /no/such/file. Mount it, or correct the path.")]
    [InlineData("HARBOR_REDIS_URL=redis://redis/1 HARBOR_REDIS_NAMESPACE={harbor_job_service_namespace}",
        "HARBOR_REDIS_NAMESPACE: {harbor_job_service_namespace} has braces. Write it as in Harbor's configuration, without them.")]
    [InlineData("HARBOR_SCAN_COLLECTORS_ENABLED=jobservice", "HARBOR_SCAN_COLLECTORS_ENABLED names jobservice, which needs HARBOR_REDIS_URL. Set it, or take the name out.")]
    [InlineData("HARBOR_API_PASSWORD=hunter2", "HARBOR_API_PASSWORD is set without HARBOR_API_USERNAME. Name the user, or remove the password.")]
    [InlineData("HARBOR_API_USERNAME=scan HARBOR_API_PASSWORD=hunter2", "HARBOR_API_USERNAME is set without HARBOR_SERVICE_HOST. Name the host of Harbor's API.")]
    [InlineData("HARBOR_API_USERNAME=scan HARBOR_SERVICE_HOST=core", "HARBOR_API_USERNAME is set without a password. Set HARBOR_API_PASSWORD or HARBOR_API_PASSWORD_FILE.")]
    [InlineData("HARBOR_API_USERNAME=scan HARBOR_API_PASSWORD=hunter2 HARBOR_SERVICE_HOST=http://core", "HARBOR_SERVICE_HOST: http://core is no host name. Give the host alone, without scheme, port or path.")]
    [InlineData("HARBOR_API_USERNAME=scan HARBOR_API_PASSWORD=hunter2 HARBOR_SERVICE_HOST=core HARBOR_SERVICE_PORT=x", "HARBOR_SERVICE_PORT: x is no port. Give a number from 1 to 65535.")]
    [InlineData("HARBOR_SERVICE_SCHEME=ftp", "HARBOR_SERVICE_SCHEME: ftp is unknown. Give one of http, https.")]
    [InlineData("HARBOR_SCAN_OPERATIONS_LISTEN=http://0.0.0.0:10989",
        "HARBOR_SCAN_OPERATIONS_LISTEN is set without HARBOR_SCAN_OPERATIONS_TOKEN_FILE. The second listener does not start without a token: write one into a file, for example with openssl rand -hex 32.")]
    [InlineData("HARBOR_SCAN_OPERATIONS_TOKEN_FILE=/no/such/file", "HARBOR_SCAN_OPERATIONS_TOKEN_FILE is set without HARBOR_SCAN_OPERATIONS_LISTEN. Set the address of the second listener, or remove the token.")]
    [InlineData("HARBOR_SCAN_OPERATIONS_LISTEN=http://0.0.0.0:10989 HARBOR_SCAN_OPERATIONS_TOKEN_FILE=/no/such/file",
        "HARBOR_SCAN_OPERATIONS_TOKEN_FILE: there is no readable file /no/such/file. Mount it, or correct the path.")]
    public void Contradictions_of_the_job_service_the_API_and_the_second_listener_stop_the_start(string environment, string error)
    {
        var given = environment.Split(' ').Select(pair => pair.Split('=', 2)).Select(pair => (pair[0], pair[1]));
        var reading = Read([.. Least, .. given]);
        Assert.Equal([error], reading.Errors);
        Assert.Null(reading.Settings);
    }

    [Fact]
    public void A_URL_and_a_URL_file_contradict_each_other()
    {
        var file = Written("redis://redis/1");
        Assert.Equal(["HARBOR_REDIS_URL and HARBOR_REDIS_URL_FILE are both set. Keep one of them."],
            Read([.. Least, ("HARBOR_REDIS_URL", "redis://redis/1"), ("HARBOR_REDIS_URL_FILE", file)]).Errors);
        File.Delete(file);
    }

    [Fact]
    public void The_second_listener_needs_a_long_token_and_a_port_of_its_own()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, new string('x', OperationsSettings.LeastTokenLength - 1) + "\n");
        Assert.Equal(
            [$"HARBOR_SCAN_OPERATIONS_TOKEN_FILE: the token in {file} has fewer than {OperationsSettings.LeastTokenLength} characters. Write a longer one, for example with openssl rand -hex 32."],
            Read([.. Least, ("HARBOR_SCAN_OPERATIONS_LISTEN", "http://0.0.0.0:10989"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", file)]).Errors);
        File.WriteAllText(file, new string('x', OperationsSettings.LeastTokenLength));
        Assert.Equal(
            ["HARBOR_SCAN_OPERATIONS_LISTEN and HARBOR_SCAN_LISTEN name the same port. Each listener needs a port of its own."],
            Read([.. Least, ("HARBOR_SCAN_OPERATIONS_LISTEN", "http://127.0.0.1:10988"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", file)]).Errors);
        var settings = Read([.. Least, ("HARBOR_SCAN_OPERATIONS_LISTEN", "http://0.0.0.0:10989"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", file)]).Settings!;
        Assert.Equal(("http://0.0.0.0:10989", file), (settings.Operations!.Listen, settings.Operations.TokenFile.Path));
        File.Delete(file);
    }

    [Fact]
    public void Nothing_is_repaired_unless_it_is_asked_for_and_the_limits_have_their_documented_defaults()
    {
        var remediation = Read(Least).Settings!.Remediation;
        Assert.Equal((RemediationMode.Off, null, null), (remediation.Mode, remediation.DatabaseUsername, remediation.PauseFile));
        Assert.Equal((50, 500, 2000, 0.5, TimeSpan.FromHours(1), 2),
            (remediation.MaxPerRun, remediation.MaxPerHour, remediation.MaxPerDay, remediation.MaxShare, remediation.Cooldown, remediation.MaxAttempts));
        Assert.Equal((false, false, false), (remediation.Rescan, remediation.Sweep, remediation.Robots));
        Assert.Equal(
            ["HarborScanAllBlocked", "HarborScanHung", "HarborScanInconsistentRows", "HarborScanLost", "HarborScanStuck", "HarborScanStuckLong", "HarborScanSweepBlocked", "HarborScanUnreported"],
            remediation.Alerts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Armed_repairs_have_what_they_were_given()
    {
        var settings = Read(
        [
            .. Least, .. Armed, ("HARBOR_SERVICE_HOST", "core"), ("HARBOR_API_USERNAME", "robot$scan"), ("HARBOR_API_PASSWORD", "hunter3"),
            ("HARBOR_SCAN_REMEDIATION_ALERTS", " HarborScanStuck, _mine "), ("HARBOR_SCAN_REMEDIATION_MAX_PER_RUN", "500"), ("HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR", "500"),
            ("HARBOR_SCAN_REMEDIATION_MAX_PER_DAY", "500"), ("HARBOR_SCAN_REMEDIATION_MAX_SHARE", "1"), ("HARBOR_SCAN_REMEDIATION_COOLDOWN", "7d"),
            ("HARBOR_SCAN_REMEDIATION_MAX_ATTEMPTS", "10"), ("HARBOR_SCAN_REMEDIATION_RESCAN", "on"), ("HARBOR_SCAN_REMEDIATION_SWEEP", "on"),
            ("HARBOR_SCAN_REMEDIATION_ROBOTS", "on"), ("HARBOR_SCAN_REMEDIATION_PAUSE_FILE", Path.Combine(Path.GetTempPath(), "no-such-pause")),
        ]).Settings!;
        var remediation = settings.Remediation;
        Assert.Equal((RemediationMode.Execute, "repairer", "hunter2"), (remediation.Mode, remediation.DatabaseUsername, remediation.DatabasePassword));
        Assert.Equal((500, 500, 500, 1.0, TimeSpan.FromDays(7), 10),
            (remediation.MaxPerRun, remediation.MaxPerHour, remediation.MaxPerDay, remediation.MaxShare, remediation.Cooldown, remediation.MaxAttempts));
        Assert.Equal((true, true, true), (remediation.Rescan, remediation.Sweep, remediation.Robots));
        Assert.Equal(["HarborScanStuck", "_mine"], remediation.Alerts.Order(StringComparer.Ordinal));
        Assert.Equal(Path.Combine(Path.GetTempPath(), "no-such-pause"), remediation.PauseFile);
        var role = remediation.SignIn(settings.Database);
        Assert.Equal(("db", "registry", "repairer", "hunter2"), (role.Host, role.Name, role.Username, role.Password));
        Assert.DoesNotContain("hunter", string.Join('\n', settings.Shown.Values), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("off", RemediationMode.Off)]
    [InlineData("dry-run", RemediationMode.DryRun)]
    [InlineData("execute", RemediationMode.Execute)]
    public void The_mode_has_three_words(string word, object mode) =>
        Assert.Equal(mode, Read([.. Least, .. Armed.Where(pair => pair.Name != "HARBOR_SCAN_REMEDIATION"), ("HARBOR_SCAN_REMEDIATION", word)]).Settings!.Remediation.Mode);

    [Theory]
    [InlineData("HARBOR_SCAN_REMEDIATION", "yes", "HARBOR_SCAN_REMEDIATION: yes is unknown. Give one of off, dry-run, execute.")]
    [InlineData("HARBOR_SCAN_REMEDIATION", "Execute", "HARBOR_SCAN_REMEDIATION: Execute is unknown. Give one of off, dry-run, execute.")]
    [InlineData("HARBOR_REDIS_URL", "", "HARBOR_SCAN_REMEDIATION is execute without HARBOR_REDIS_URL. Set it or HARBOR_REDIS_URL_FILE: nothing is repaired without proof.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "", "HARBOR_SCAN_REMEDIATION is execute without HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME. Name the role of deploy/sql/03-remediation-role.sql.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD", "", "HARBOR_SCAN_REMEDIATION is execute without a password of its role. Set HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD or HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "scraper", "HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME and HARBOR_DATABASE_USERNAME both name scraper. Name a role of its own: the one that scrapes can write nothing.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_ALERTS", ",", "HARBOR_SCAN_REMEDIATION_ALERTS names no alert. Name at least one, or remove the setting.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_ALERTS", "HarborScanStuck,Harbor-Scan", "HARBOR_SCAN_REMEDIATION_ALERTS: Harbor-Scan is no name of an alert. Give names of letters, digits and underscores, separated by commas.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_ALERTS", "1st", "HARBOR_SCAN_REMEDIATION_ALERTS: 1st is no name of an alert. Give names of letters, digits and underscores, separated by commas.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_RUN", "0", "HARBOR_SCAN_REMEDIATION_MAX_PER_RUN: 0 is out of range. Give a whole number from 1 to 500.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_RUN", "501", "HARBOR_SCAN_REMEDIATION_MAX_PER_RUN: 501 is out of range. Give a whole number from 1 to 500.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_RUN", "many", "HARBOR_SCAN_REMEDIATION_MAX_PER_RUN: many is out of range. Give a whole number from 1 to 500.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR", "100001", "HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR: 100001 is out of range. Give a whole number from 1 to 100000.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR", "49", "HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR is less than HARBOR_SCAN_REMEDIATION_MAX_PER_RUN. Raise it, or lower HARBOR_SCAN_REMEDIATION_MAX_PER_RUN.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_DAY", "499", "HARBOR_SCAN_REMEDIATION_MAX_PER_DAY is less than HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR. Raise it, or lower HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_PER_DAY", "1000001", "HARBOR_SCAN_REMEDIATION_MAX_PER_DAY: 1000001 is out of range. Give a whole number from 1 to 1000000.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_SHARE", "0", "HARBOR_SCAN_REMEDIATION_MAX_SHARE: 0 is no share. Give a number above 0 and at most 1, for example 0.5.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_SHARE", "1.01", "HARBOR_SCAN_REMEDIATION_MAX_SHARE: 1.01 is no share. Give a number above 0 and at most 1, for example 0.5.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_SHARE", "50%", "HARBOR_SCAN_REMEDIATION_MAX_SHARE: 50% is no share. Give a number above 0 and at most 1, for example 0.5.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_SHARE", "NaN", "HARBOR_SCAN_REMEDIATION_MAX_SHARE: NaN is no share. Give a number above 0 and at most 1, for example 0.5.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_COOLDOWN", "59s", "HARBOR_SCAN_REMEDIATION_COOLDOWN: 59s is out of range. Give 1m to 7d.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_COOLDOWN", "8d", "HARBOR_SCAN_REMEDIATION_COOLDOWN: 8d is out of range. Give 1m to 7d.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_MAX_ATTEMPTS", "11", "HARBOR_SCAN_REMEDIATION_MAX_ATTEMPTS: 11 is out of range. Give a whole number from 1 to 10.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_SWEEP", "true", "HARBOR_SCAN_REMEDIATION_SWEEP: true is unknown. Give one of on, off.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_RESCAN", "on", "HARBOR_SCAN_REMEDIATION_RESCAN is on without HARBOR_API_USERNAME. Name a user of Harbor's API with its host and password, or switch it off.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_ROBOTS", "on", "HARBOR_SCAN_REMEDIATION_ROBOTS is on without HARBOR_API_USERNAME. Name a user of Harbor's API with its host and password, or switch it off.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_PAUSE_FILE", "/no/such/pause", "HARBOR_SCAN_REMEDIATION_PAUSE_FILE: there is no directory for /no/such/pause. Mount it, or correct the path; the file itself need not be there.")]
    [InlineData("HARBOR_SCAN_REMEDIATION_PAUSE_FILE", "/", "HARBOR_SCAN_REMEDIATION_PAUSE_FILE: / is a directory. Name a file in it, which need not be there.")]
    public void Repairs_that_cannot_be_armed_stop_the_start_with_the_setting_and_the_mend(string name, string value, string error)
    {
        var reading = Read([.. Least, .. Armed.Where(pair => pair.Name != name), (name, value)]);
        Assert.Equal([error], reading.Errors);
        Assert.Null(reading.Settings);
    }

    [Fact]
    public void While_repairs_are_off_their_role_may_be_prepared_in_part_but_without_contradictions()
    {
        var prepared = Read([.. Least, ("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "repairer"), ("HARBOR_SCAN_REMEDIATION_ROBOTS", "on")]);
        Assert.Empty(prepared.Errors);
        Assert.Equal((RemediationMode.Off, "repairer"), (prepared.Settings!.Remediation.Mode, prepared.Settings.Remediation.DatabaseUsername));
        var file = Written("hunter2");
        Assert.Equal(["HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD and HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE are both set. Keep one of them."],
            Read([.. Least, ("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD", "x"), ("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE", file)]).Errors);
        Assert.Equal(["HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME and HARBOR_DATABASE_USERNAME both name scraper. Name a role of its own: the one that scrapes can write nothing."],
            Read([.. Least, ("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "scraper")]).Errors);
        Assert.Equal(file, Read([.. Least, ("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE", file)]).Settings!.Remediation.DatabasePasswordFile!.Path);
        File.Delete(file);
    }

    [Fact]
    public void The_URL_of_Redis_in_a_file_and_the_password_in_a_file_arm_repairs_too()
    {
        var (url, password) = (Written("redis://redis/1"), Written("hunter2"));
        var settings = Read(
        [
            .. Least, ("HARBOR_SCAN_REMEDIATION", "dry-run"), ("HARBOR_REDIS_URL_FILE", url), ("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME", "repairer"),
            ("HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE", password),
        ]).Settings!;
        File.Delete(url);
        File.Delete(password);
        Assert.Equal((RemediationMode.DryRun, password), (settings.Remediation.Mode, settings.Remediation.DatabasePasswordFile!.Path));
    }

    [Fact]
    public void A_flag_wins_over_the_environment()
    {
        var reading = SettingsReader.Read(
            Least.Append(("HARBOR_SCAN_SETTLE", "7m")).ToDictionary(pair => pair.Item1, pair => pair.Item2),
            new Dictionary<string, string> { ["HARBOR_SCAN_SETTLE"] = "8m" });
        Assert.Equal(TimeSpan.FromMinutes(8), reading.Settings!.Settle);
    }

    [Fact]
    public void An_empty_variable_counts_as_not_set() =>
        Assert.Equal(TimeSpan.FromMinutes(5), Read([.. Least, ("HARBOR_SCAN_SETTLE", "")]).Settings!.Settle);

    [Fact]
    public void Secrets_are_never_shown()
    {
        var settings = Read([.. Least, ("HARBOR_DATABASE_PASSWORD", "hunter2")]).Settings!;
        Assert.DoesNotContain("hunter2", string.Join('\n', settings.Shown.Values), StringComparison.Ordinal);
        Assert.DoesNotContain("HARBOR_DATABASE_PASSWORD", settings.Shown.Keys);
        Assert.Equal("db", settings.Shown["HARBOR_DATABASE_HOST"]);
    }

    [Fact]
    public void The_flag_of_a_setting_has_its_name()
    {
        Assert.Equal("--scrape-timeout", Setting.All.Single(setting => setting.Name == "HARBOR_SCAN_SCRAPE_TIMEOUT").Flag);
        Assert.Equal("--database-host", Setting.All.Single(setting => setting.Name == "HARBOR_DATABASE_HOST").Flag);
        Assert.Equal(Setting.All.Count, Setting.All.Select(setting => setting.Flag).Distinct().Count());
    }

    private static string Written(string text)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, text);
        return file;
    }

    private static SettingsReading Read(IEnumerable<(string Name, string Value)> environment) =>
        SettingsReader.Read(environment.ToDictionary(pair => pair.Name, pair => pair.Value), new Dictionary<string, string>());
}
