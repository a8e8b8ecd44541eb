using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Dashboards;

public sealed class ProvisioningTests
{
    [Fact]
    public void The_data_source_is_the_default_Prometheus()
    {
        var source = Assert.Single(Sequence("datasources/prometheus.yml", "datasources"));
        Assert.Equal("prometheus", Text(source, "type"));
        Assert.Equal("prometheus", Text(source, "uid"));
        Assert.Equal("true", Text(source, "isDefault"));
        Assert.True(Uri.TryCreate(Text(source, "url"), UriKind.Absolute, out var url) && url.Scheme == "http", Text(source, "url"));
        Assert.Equal("POST", Text((YamlMappingNode)source["jsonData"], "httpMethod"));
    }

    [Fact]
    public void The_provider_loads_the_folder_of_the_dashboards_read_only()
    {
        var provider = Assert.Single(Sequence("dashboards/harbor-scan.yml", "providers"));
        Assert.Equal("file", Text(provider, "type"));
        Assert.Equal("false", Text(provider, "allowUiUpdates"));
        var path = Text((YamlMappingNode)provider["options"], "path");
        Assert.StartsWith("/", path, StringComparison.Ordinal);
        Assert.Equal(Dashboard.Folder, Path.GetFileName(path));
        Assert.NotEmpty(Directory.GetFiles(Repository.PathOf(Path.GetFileName(path)), "*.json"));
    }

    [Fact]
    public void Grafana_finds_nothing_else_in_the_provisioning_folder()
    {
        var root = Repository.PathOf(Dashboard.Folder, "provisioning");
        Assert.Equal(
            ["dashboards/harbor-scan.yml", "datasources/prometheus.yml"],
            Directory.GetFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file))
                .Order(StringComparer.Ordinal));
    }

    private static IEnumerable<YamlMappingNode> Sequence(string file, string key)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(Dashboard.Folder, "provisioning", file)));
        var root = (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
        Assert.Equal("1", Text(root, "apiVersion"));
        return ((YamlSequenceNode)root[key]).Cast<YamlMappingNode>();
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value ?? "";
}
