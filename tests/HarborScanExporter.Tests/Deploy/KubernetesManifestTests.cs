using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Deploy;

public sealed class KubernetesManifestTests
{
    private static readonly string[] Manifests =
        ["deployment", "service", "service-operations", "servicemonitor", "networkpolicy", "prometheusrule", "secret.example"];

    private static Yaml Deployment => Read("deployment");

    private static Yaml Pod => Deployment["spec"]["template"]["spec"];

    private static Yaml Container => Assert.Single(Pod["containers"].Items);

    [Fact]
    public void Every_file_is_either_applied_or_an_example()
    {
        var files = Directory.GetFiles(Repository.PathOf("deploy", "kubernetes"), "*.yaml")
            .Select(Path.GetFileName).Order(StringComparer.Ordinal);

        var applied = Read("kustomization")["resources"].Texts;

        Assert.Equal([.. applied.Append("kustomization.yaml").Append("secret.example.yaml").Order(StringComparer.Ordinal)], files);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_manifest_carries_the_common_name_namespace_and_labels(string manifest)
    {
        Assert.All(Yaml.ReadAll("deploy", "kubernetes", manifest + ".yaml"), document =>
        {
            Assert.NotEqual("", document["apiVersion"].Text);
            Assert.NotEqual("", document["kind"].Text);
            Assert.StartsWith("harbor-scan-exporter", document["metadata"]["name"].Text, StringComparison.Ordinal);
            Assert.Equal("harbor", document["metadata"]["namespace"].Text);
            // No monitor may select the service of the findings by the name that it selects the metrics by.
            Assert.Equal(manifest == "service-operations" ? "harbor-scan-exporter-operations" : "harbor-scan-exporter",
                document["metadata"]["labels"]["app.kubernetes.io/name"].Text);
        });
    }

    [Fact]
    public void Every_selector_selects_the_pod()
    {
        var pod = Deployment["spec"]["template"]["metadata"]["labels"];
        Yaml[] selectors =
        [
            Deployment["spec"]["selector"]["matchLabels"],
            Read("service")["spec"]["selector"],
            Read("service-operations")["spec"]["selector"],
            Read("networkpolicy")["spec"]["podSelector"]["matchLabels"],
        ];

        foreach (var selector in selectors)
        {
            Assert.NotEmpty(selector.Members);
            Assert.All(selector.Members, label => Assert.Equal(pod[label.Key].Text, label.Value.Text));
        }
    }

    [Fact]
    public void The_monitor_selects_the_service_and_names_the_job_after_it()
    {
        var monitor = Read("servicemonitor")["spec"];
        var service = Read("service")["metadata"]["labels"];

        Assert.NotEmpty(monitor["selector"]["matchLabels"].Members);
        Assert.All(monitor["selector"]["matchLabels"].Members, label => Assert.Equal(service[label.Key].Text, label.Value.Text));
        Assert.Equal("harbor-scan-exporter", service[monitor["jobLabel"].Text].Text);
    }

    [Fact]
    public void The_port_is_the_same_from_the_container_to_the_monitor()
    {
        var port = Assert.Single(Container["ports"].Items, port => port["name"].Text == "metrics");
        var service = Assert.Single(Read("service")["spec"]["ports"].Items);
        var endpoint = Assert.Single(Read("servicemonitor")["spec"]["endpoints"].Items);
        var ingress = Read("networkpolicy")["spec"]["ingress"].Items[0];

        Assert.Equal("10988", port["containerPort"].Text);
        Assert.Equal(port["name"].Text, service["targetPort"].Text);
        Assert.Equal("10988", service["port"].Text);
        Assert.Equal(service["name"].Text, endpoint["port"].Text);
        Assert.Equal("10988", Assert.Single(ingress["ports"].Items)["port"].Text);
        Assert.Equal(port["name"].Text, Container["livenessProbe"]["httpGet"]["port"].Text);
        Assert.Equal(port["name"].Text, Container["readinessProbe"]["httpGet"]["port"].Text);
    }

    [Fact]
    public void Findings_have_a_listener_a_service_and_a_way_in_of_their_own()
    {
        var port = Assert.Single(Container["ports"].Items, port => port["name"].Text == "operations");
        var service = Assert.Single(Read("service-operations")["spec"]["ports"].Items);
        var ingress = Read("networkpolicy")["spec"]["ingress"].Items[1];

        Assert.Equal("10989", port["containerPort"].Text);
        Assert.Equal("http://*:10989", ValueOf("HARBOR_SCAN_OPERATIONS_LISTEN"));
        Assert.Equal(("operations", "10989"), (service["targetPort"].Text, service["port"].Text));
        Assert.Equal("10989", Assert.Single(ingress["ports"].Items)["port"].Text);
        Assert.True(Assert.Single(ingress["from"].Items).Has("podSelector"), "Not every pod of a namespace may reach the findings.");
    }

    [Fact]
    public void The_monitor_scrapes_within_the_deadline_of_the_exporter_and_trusts_no_label_of_the_target()
    {
        var endpoint = Assert.Single(Read("servicemonitor")["spec"]["endpoints"].Items);

        Assert.Equal("/metrics", endpoint["path"].Text);
        Assert.Equal("30s", endpoint["interval"].Text);
        Assert.Equal("10s", endpoint["scrapeTimeout"].Text);
        Assert.Equal("false", endpoint["honorLabels"].Text);
    }

    [Theory]
    [InlineData("livenessProbe")]
    [InlineData("readinessProbe")]
    public void A_probe_asks_the_process_and_never_the_database(string probe) =>
        Assert.Equal("/healthz", Container[probe]["httpGet"]["path"].Text);

    [Fact]
    public void The_pod_has_no_rights_it_does_not_need()
    {
        Assert.Equal("false", Pod["automountServiceAccountToken"].Text);
        Assert.Equal("false", Pod["enableServiceLinks"].Text);
        Assert.Equal("true", Pod["securityContext"]["runAsNonRoot"].Text);
        Assert.Equal("RuntimeDefault", Pod["securityContext"]["seccompProfile"]["type"].Text);
        Assert.Equal("false", Container["securityContext"]["allowPrivilegeEscalation"].Text);
        Assert.Equal("true", Container["securityContext"]["readOnlyRootFilesystem"].Text);
        Assert.Equal(["ALL"], Container["securityContext"]["capabilities"]["drop"].Texts);
        Assert.Equal(["cpu", "memory"], Container["resources"]["limits"].Members.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["cpu", "memory"], Container["resources"]["requests"].Members.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_image_has_a_version_and_never_floats()
    {
        var image = Container["image"].Text;

        Assert.Matches("^harbor-scan-exporter:[0-9]+[.][0-9]+[.][0-9]+$", image);
        Assert.Contains($"<Version>{image.Split(':')[1]}</Version>", Repository.Read("Directory.Build.props"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("database", "HARBOR_DATABASE_PASSWORD_FILE")]
    [InlineData("redis", "HARBOR_REDIS_URL_FILE")]
    [InlineData("operations", "HARBOR_SCAN_OPERATIONS_TOKEN_FILE")]
    public void Each_secret_is_a_file_of_the_example_and_never_a_variable(string name, string variable)
    {
        var volume = Assert.Single(Pod["volumes"].Items, volume => volume["name"].Text == name);
        var mount = Assert.Single(Container["volumeMounts"].Items, mount => mount["name"].Text == name);
        var secret = Assert.Single(Yaml.ReadAll("deploy", "kubernetes", "secret.example.yaml"), secret => secret["metadata"]["name"].Text == $"harbor-scan-exporter-{name}");

        Assert.Equal(secret["metadata"]["name"].Text, volume["secret"]["secretName"].Text);
        Assert.Equal("true", mount["readOnly"].Text);
        Assert.Equal(mount["mountPath"].Text + "/" + Assert.Single(secret["stringData"].Members).Key, ValueOf(variable));
        Assert.Equal(3, Pod["volumes"].Items.Count);
        Assert.Equal(3, Container["volumeMounts"].Items.Count);
        var secrets = Setting.All.Where(setting => setting.IsSecret).Select(setting => setting.Name);
        Assert.DoesNotContain(Container["env"].Items, item => secrets.Contains(item["name"].Text));
    }

    [Fact]
    public void The_example_is_read_as_Harbors_chart_means_it_and_its_token_is_refused()
    {
        var secrets = Yaml.ReadAll("deploy", "kubernetes", "secret.example.yaml").ToDictionary(
            secret => secret["metadata"]["name"].Text, secret => Assert.Single(secret["stringData"].Members).Value.Text);

        var redis = RedisSettings.Parse(secrets["harbor-scan-exporter-redis"], out var problem);

        Assert.Null(problem);
        Assert.Equal(("redis://harbor-redis:6379/1", 1), (redis!.Address, redis.Database));
        Assert.True(secrets["harbor-scan-exporter-operations"].Length < OperationsSettings.LeastTokenLength, "A placeholder must not work.");
    }

    [Theory]
    [InlineData("deployment.yaml")]
    [InlineData("harbor-chart/deployment-patch.yaml")]
    public void Every_variable_of_a_container_is_a_setting(string file)
    {
        var deployment = Yaml.Read("deploy", "kubernetes", file);
        var variables = Assert.Single(deployment["spec"]["template"]["spec"]["containers"].Items)["env"].Items;

        Assert.NotEmpty(variables);
        Assert.All(variables, variable => Assert.Contains(variable["name"].Text, Setting.All.Select(setting => setting.Name)));
    }

    [Fact]
    public void The_network_lets_in_a_scrape_and_Alertmanager_and_out_the_database_Redis_and_names_only()
    {
        var policy = Read("networkpolicy")["spec"];

        Assert.Equal(["Ingress", "Egress"], policy["policyTypes"].Texts);
        Assert.All(policy["ingress"].Items, rule => Assert.NotEmpty(rule["from"].Items));
        Assert.All(policy["egress"].Items, rule => Assert.NotEmpty(rule["to"].Items));
        Assert.Equal(["TCP 5432", "TCP 6379", "UDP 53", "TCP 53"], policy["egress"].Items
            .SelectMany(rule => rule["ports"].Items).Select(port => $"{port["protocol"].Text} {port["port"].Text}"));
    }

    [Fact]
    public void The_component_for_the_chart_reads_each_setting_from_the_key_that_the_chart_writes()
    {
        var patch = Yaml.Read("deploy", "kubernetes", "harbor-chart", "deployment-patch.yaml");
        var variables = Assert.Single(patch["spec"]["template"]["spec"]["containers"].Items)["env"].Items;
        var kept = variables.Where(variable => !variable.Has("$patch")).ToDictionary(variable => variable["name"].Text);
        var removed = variables.Where(variable => variable.Has("$patch")).Select(variable => variable["name"].Text);

        Assert.Equal(["HARBOR_DATABASE_PASSWORD_FILE", "HARBOR_REDIS_URL_FILE", "HARBOR_SCAN_OPERATIONS_LISTEN", "HARBOR_SCAN_OPERATIONS_TOKEN_FILE"], removed);
        Assert.Equal("harbor-database", kept["HARBOR_DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"].Text);
        Assert.Equal("POSTGRES_PASSWORD", kept["HARBOR_DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"]["key"].Text);
        Assert.All(kept.Where(variable => variable.Key != "HARBOR_DATABASE_PASSWORD"), variable =>
        {
            Assert.Equal("harbor-exporter-env", variable.Value["valueFrom"]["configMapKeyRef"]["name"].Text);
            Assert.Equal(variable.Key, variable.Value["valueFrom"]["configMapKeyRef"]["key"].Text);
        });
        // Whatever the deployment sets is overridden, so that no value of another installation stays behind.
        Assert.Equal(
            Container["env"].Items.Select(variable => variable["name"].Text).Order(StringComparer.Ordinal),
            variables.Select(variable => variable["name"].Text).Except(["HARBOR_DATABASE_PASSWORD", "HARBOR_REDIS_URL", "HARBOR_REDIS_NAMESPACE"]).Order(StringComparer.Ordinal));
        // What nothing mounts must not be asked for.
        var pod = patch["spec"]["template"]["spec"];
        Assert.All(pod["volumes"].Items, volume => Assert.Equal("delete", volume["$patch"].Text));
        Assert.Equal(Pod["volumes"].Items.Select(volume => volume["name"].Text), pod["volumes"].Items.Select(volume => volume["name"].Text));
        Assert.Equal(
            Container["volumeMounts"].Items.Select(mount => mount["mountPath"].Text),
            Assert.Single(pod["containers"].Items)["volumeMounts"].Items.Select(mount => mount["mountPath"].Text));
    }

    public static TheoryData<string> Names() => [.. Manifests];

    private static string ValueOf(string variable) => Assert.Single(Container["env"].Items, item => item["name"].Text == variable)["value"].Text;

    private static Yaml Read(string manifest) => Yaml.Read("deploy", "kubernetes", manifest + ".yaml");
}
