using System.Text.Json.Nodes;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>One dashboard of the folder <c>dashboards</c>, or a copy that a test has broken.</summary>
internal sealed class Dashboard(string file, JsonObject json)
{
    public const string Folder = "dashboards";

    /// <summary>Every dashboard that Grafana would load.</summary>
    public static IReadOnlyList<Dashboard> All { get; } =
    [
        .. Directory.GetFiles(Repository.PathOf(Folder), "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => new Dashboard(Path.GetFileName(path), JsonNode.Parse(System.IO.File.ReadAllText(path))!.AsObject())),
    ];

    public string File => file;

    public JsonObject Json => json;

    public string Uid => Text(json["uid"]);

    public string Title => Text(json["title"]);

    /// <summary>Every panel, rows and what is folded into them included, in the order of reading.</summary>
    public IReadOnlyList<Panel> Panels => [.. Below(json)];

    public IReadOnlyList<JsonObject> Variables => Objects(json["templating"]?["list"]);

    public IReadOnlyList<JsonObject> Annotations => Objects(json["annotations"]?["list"]);

    public IReadOnlyList<JsonObject> Links => Objects(json["links"]);

    public Panel Panel(string title) =>
        Panels.FirstOrDefault(panel => panel.Title == title) ?? throw new InvalidOperationException($"{file} has no panel {title}.");

    /// <summary>The variable of that name, or null.</summary>
    public JsonObject? Variable(string name) => Variables.FirstOrDefault(variable => Text(variable["name"]) == name);

    public Dashboard Copy() => new(file, json.DeepClone().AsObject());

    /// <summary>The text of a node, empty when it is absent or no text.</summary>
    public static string Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static IReadOnlyList<JsonObject> Objects(JsonNode? node) => node is JsonArray array ? [.. array.OfType<JsonObject>()] : [];

    private IEnumerable<Panel> Below(JsonNode parent) =>
        Objects(parent["panels"]).SelectMany(panel => Below(panel).Prepend(new Panel(this, panel)));
}

/// <summary>One panel, or one row that heads a group of them.</summary>
internal sealed record Panel(Dashboard Dashboard, JsonObject Json)
{
    public string Title => Dashboard.Text(Json["title"]);

    public string Type => Dashboard.Text(Json["type"]);

    /// <summary>It draws data: neither a row nor a text.</summary>
    public bool Draws => Type is not ("row" or "text");

    public JsonObject? Defaults => Json["fieldConfig"]?["defaults"] as JsonObject;

    public IReadOnlyList<Target> Targets => [.. Dashboard.Objects(Json["targets"]).Select(target => new Target(this, target))];

    public override string ToString() => $"{Dashboard.File}: panel '{Title}'";
}

/// <summary>One query of a panel.</summary>
internal sealed record Target(Panel Panel, JsonObject Json)
{
    public string Expression => Dashboard.Text(Json["expr"]);

    /// <summary>One value now instead of a line over time.</summary>
    public bool Instant => Json["instant"]?.GetValue<bool>() ?? false;

    public override string ToString() => $"{Panel} query {Dashboard.Text(Json["refId"])}";
}
