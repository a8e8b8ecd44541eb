using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Deploy;

/// <summary>A place in a YAML document. Asking for what is not there fails the test and names the place.</summary>
internal sealed class Yaml
{
    private readonly string _place;
    private readonly YamlNode _node;

    private Yaml(string place, YamlNode node) => (_place, _node) = (place, node);

    /// <summary>The one document of a file below the root of the repository.</summary>
    public static Yaml Read(params string[] parts) => Parse(string.Join('/', parts), Repository.Read(parts));

    /// <summary>Every document of a file below the root of the repository.</summary>
    public static IReadOnlyList<Yaml> ReadAll(params string[] parts)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(parts)));
        return [.. stream.Documents.Select((document, index) => new Yaml($"{string.Join('/', parts)} {index}", document.RootNode))];
    }

    public static Yaml Parse(string name, string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return new Yaml(name, Assert.Single(stream.Documents).RootNode);
    }

    public Yaml this[string key] =>
        Mapping.Children.TryGetValue(new YamlScalarNode(key), out var child)
            ? new Yaml($"{_place} {key}", child)
            : throw new Xunit.Sdk.XunitException($"{_place} has no {key}.");

    public bool Has(string key) => Mapping.Children.ContainsKey(new YamlScalarNode(key));

    public string Text => _node is YamlScalarNode { Value: { } value }
        ? value
        : throw new Xunit.Sdk.XunitException($"{_place} is no scalar.");

    public IReadOnlyList<Yaml> Items => _node is YamlSequenceNode sequence
        ? [.. sequence.Children.Select((child, index) => new Yaml($"{_place} {index}", child))]
        : throw new Xunit.Sdk.XunitException($"{_place} is no list.");

    public IReadOnlyDictionary<string, Yaml> Members => Mapping.Children.ToDictionary(
        member => ((YamlScalarNode)member.Key).Value!, member => new Yaml($"{_place} {member.Key}", member.Value));

    /// <summary>The texts of a list of scalars.</summary>
    public IReadOnlyList<string> Texts => [.. Items.Select(item => item.Text)];

    /// <summary>One text per structure: comments, quoting and the order of keys do not count.</summary>
    public string Canonical => Write(_node);

    private YamlMappingNode Mapping =>
        _node as YamlMappingNode ?? throw new Xunit.Sdk.XunitException($"{_place} is no mapping.");

    private static string Write(YamlNode node) => node switch
    {
        YamlMappingNode mapping => "{" + string.Join(",\n", mapping.Children
            .Select(member => $"{Write(member.Key)}: {Write(member.Value)}").Order(StringComparer.Ordinal)) + "}",
        YamlSequenceNode sequence => "[" + string.Join(",\n", sequence.Children.Select(Write)) + "]",
        _ => "<" + ((YamlScalarNode)node).Value + ">",
    };
}
