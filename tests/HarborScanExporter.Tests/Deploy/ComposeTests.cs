using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Deploy;

public sealed class ComposeTests
{
    private static readonly string Folder = Repository.PathOf("deploy", "compose");

    private static IReadOnlyDictionary<string, Yaml> Services => Yaml.Read("deploy", "compose", "compose.yaml")["services"].Members;

    private static Yaml Exporter => Services["exporter"];

    [Fact]
    public void The_whole_product_is_there() => Assert.Equal(
        ["alertmanager", "exporter", "grafana", "harbor", "postgresql", "prometheus", "redis", "scraping-role"],
        Services.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_service_has_a_pinned_image_or_is_built_from_the_repository()
    {
        foreach (var (name, service) in Services)
        {
            if (service.Has("build"))
            {
                var build = service["build"];
                var context = Path.GetFullPath(build["context"].Text, Folder);
                Assert.Equal(Repository.Root, context);
                Assert.True(File.Exists(Path.Combine(context, build.Has("dockerfile") ? build["dockerfile"].Text : "Dockerfile")), name);
            }
            else
            {
                Assert.Matches("^[a-z/]+:v?[0-9]+[.][0-9]+[^:]*$", service["image"].Text);
            }
        }
    }

    [Fact]
    public void Every_mounted_path_is_in_the_repository_and_mounted_for_reading()
    {
        var volumes = Services.Values.Where(service => service.Has("volumes"))
            .SelectMany(service => service["volumes"].Texts).ToList();

        Assert.True(volumes.Count >= 5, string.Join(", ", volumes));
        Assert.All(volumes, volume =>
        {
            var parts = volume.Split(':');
            Assert.Equal("ro", parts[^1]);
            Assert.True(Path.Exists(Path.GetFullPath(parts[0], Folder)), $"{volume} does not exist");
        });
    }

    [Fact]
    public void The_exporter_has_no_rights_it_does_not_need()
    {
        Assert.Equal("true", Exporter["read_only"].Text);
        Assert.Equal(["ALL"], Exporter["cap_drop"].Texts);
        Assert.Equal(["no-new-privileges:true"], Exporter["security_opt"].Texts);
        Assert.Matches("^[0-9]+m$", Exporter["mem_limit"].Text);
        Assert.False(Exporter.Has("user"), "The image's own user is not root.");
        Assert.False(Exporter.Has("privileged"));
    }

    [Fact]
    public void The_exporter_connects_as_the_role_that_the_role_step_created()
    {
        var environment = Exporter["environment"].Members.ToDictionary(variable => variable.Key, variable => variable.Value.Text);
        var step = Services["scraping-role"];
        var command = Assert.Single(step["command"].Texts);

        Assert.Contains($"-v role={environment["HARBOR_DATABASE_USERNAME"]} ", command, StringComparison.Ordinal);
        Assert.Contains($"-v password={environment["HARBOR_DATABASE_PASSWORD"]} ", command, StringComparison.Ordinal);
        Assert.Contains($"-v database={environment["HARBOR_DATABASE_DBNAME"]} ", command, StringComparison.Ordinal);
        Assert.Equal(environment["HARBOR_DATABASE_HOST"], step["environment"]["PGHOST"].Text);
        Assert.Equal("service_completed_successfully", Exporter["depends_on"]["scraping-role"]["condition"].Text);
    }

    [Fact]
    public void The_exporter_accepts_its_settings()
    {
        var environment = Exporter["environment"].Members.ToDictionary(variable => variable.Key, variable => variable.Value.Text);

        // The secret is mounted from the file that stands beside.
        var secret = Assert.Single(Exporter["secrets"].Texts);
        Assert.Equal($"/run/secrets/{secret}", environment["HARBOR_SCAN_OPERATIONS_TOKEN_FILE"]);
        environment["HARBOR_SCAN_OPERATIONS_TOKEN_FILE"] =
            Path.GetFullPath(Yaml.Read("deploy", "compose", "compose.yaml")["secrets"][secret]["file"].Text, Folder);

        var reading = SettingsReader.Read(environment, new Dictionary<string, string>());

        Assert.Empty(reading.Errors);
        Assert.Empty(reading.Ignored);
        Assert.All(environment.Keys, name => Assert.Contains(name, Setting.All.Select(setting => setting.Name)));
    }

    [Fact]
    public async Task The_exporter_connects_to_the_database_of_the_simulator_as_the_user_that_Redis_has()
    {
        var redis = RedisSettings.Parse(Exporter["environment"]["HARBOR_REDIS_URL"].Text, out _)!;
        Assert.Contains($"redis:6379,defaultDatabase={redis.Database}", Services["harbor"]["command"].Texts);
        Assert.Equal("service_healthy", Exporter["depends_on"]["redis"]["condition"].Text);

        // The configuration as it is, with the mounted file where the container has it.
        var folder = Directory.CreateTempSubdirectory("harbor-redis-").FullName;
        var configuration = Path.Combine(folder, "redis.conf");
        await File.WriteAllTextAsync(configuration, Repository.Read("deploy", "compose", "redis.conf")
            .Replace("/etc/redis/harbor-scan.acl", Repository.PathOf("deploy", "redis", "harbor-scan.acl"), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var port = Tool.FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using (await RunningTool.StartAsync("redis-server", [configuration, "--port", port, "--dir", folder], async () =>
            (await Tool.RunAsync("redis-cli", ["-p", port, "-n", $"{redis.Database}", "--user", redis.User!, "--pass", redis.Password!, "--no-auth-warning", "exists", "{harbor_job_service_namespace}:known_jobs"]))
                .Output.Trim() == "0"))
        {
            // The simulator signs in as nobody.
            Assert.Contains("OK", (await Tool.RunAsync("redis-cli", ["-p", port, "-n", $"{redis.Database}", "set", "x", "1"])).Output, StringComparison.Ordinal);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Ports_are_published_on_the_loopback_interface_alone()
    {
        var ports = Services.Values.Where(service => service.Has("ports")).SelectMany(service => service["ports"].Texts).ToList();

        Assert.Equal(5, ports.Count);
        Assert.All(ports, port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public void Prometheus_scrapes_the_exporter_reads_the_mounted_rules_and_tells_Alertmanager()
    {
        var configuration = Yaml.Read("deploy", "compose", "prometheus.yml");
        var job = Assert.Single(configuration["scrape_configs"].Items);
        var rules = Assert.Single(configuration["rule_files"].Texts);
        var mount = Assert.Single(Services["prometheus"]["volumes"].Texts, volume => volume.Contains("rules.yml", StringComparison.Ordinal));

        Assert.Equal("harbor-scan-exporter", job["job_name"].Text);
        Assert.Equal(["exporter:10988"], Assert.Single(job["static_configs"].Items)["targets"].Texts);
        Assert.StartsWith(Path.GetDirectoryName(rules)!, mount.Split(':')[1], StringComparison.Ordinal);
        Assert.Equal(["alertmanager:9093"],
            Assert.Single(Assert.Single(configuration["alerting"]["alertmanagers"].Items)["static_configs"].Items)["targets"].Texts);
    }

    [Fact]
    public async Task Prometheus_and_Alertmanager_accept_their_configurations()
    {
        var prometheus = await Tool.RunAsync("promtool", ["check", "config", "--syntax-only", Path.Combine(Folder, "prometheus.yml")]);
        var alertmanager = await Tool.RunAsync("amtool", ["check-config", Path.Combine(Folder, "alertmanager.yml")]);

        Assert.True(prometheus.ExitCode == 0, prometheus.All);
        Assert.True(alertmanager.ExitCode == 0, alertmanager.All);
    }
}
