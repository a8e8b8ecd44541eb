using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>YAML documents by the names of their nodes; anchors are followed.</summary>
internal static class Yaml
{
    public static YamlMappingNode Read(string path)
    {
        using var reader = new StreamReader(path);
        var stream = new YamlStream();
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    public static bool Has(this YamlMappingNode node, string name) => node.Children.ContainsKey(new YamlScalarNode(name));

    public static string Text(this YamlMappingNode node, string name) => ((YamlScalarNode)node[name]).Value ?? "";

    public static IReadOnlyDictionary<string, string> Texts(this YamlMappingNode node, string name) => node.Has(name)
        ? ((YamlMappingNode)node[name]).Children.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value.ToString(), StringComparer.Ordinal)
        : new Dictionary<string, string>(StringComparer.Ordinal);

    public static IReadOnlyList<YamlMappingNode> Items(this YamlMappingNode node, string name) => node.Has(name)
        ? [.. ((YamlSequenceNode)node[name]).Children.Cast<YamlMappingNode>()]
        : [];

    public static IReadOnlyList<string> Words(this YamlMappingNode node, string name) =>
        [.. ((YamlSequenceNode)node[name]).Children.Select(child => child.ToString())];
}
