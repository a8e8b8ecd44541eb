using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Http;
using HarborScanExporter.Http.StatusPage;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Http.StatusPage;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Http;

/// <summary>openapi.yaml against the code and against real answers.</summary>
public sealed class OpenApiTests
{
    private static readonly YamlMappingNode Document = Read();

    [Fact]
    public async Task The_paths_are_the_routes()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var routes = operated.Exporter.Services.GetRequiredService<OperationsListener>().Routes;
        Assert.Equal(
            routes.SelectMany(route => route.Methods.Except(["HEAD"]).Select(method => $"{method.ToLowerInvariant()} {route.Path}")).Order(StringComparer.Ordinal),
            Map(Document, "paths").Children.SelectMany(path => ((YamlMappingNode)path.Value).Children.Keys.Select(method => $"{method} {path.Key}")).Order(StringComparer.Ordinal));
        Assert.Equal(OpenApi.Text, await operated.GetAsync("/api/v1/openapi.yaml"));
        using var answer = await operated.SendAsync("GET", "/api/v1/openapi.yaml", OperatedHarbor.Bearer());
        Assert.Equal("application/yaml", answer.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("Findings", typeof(FindingsDocument))]
    [InlineData("State", typeof(FindingsDocument.StatePart))]
    [InlineData("Summary", typeof(FindingsDocument.SummaryPart))]
    [InlineData("ManualScanAll", typeof(FindingsDocument.ManualScanAllPart))]
    [InlineData("ScanAll", typeof(FindingsDocument.ScanAllPart))]
    [InlineData("JobService", typeof(FindingsDocument.JobServicePart))]
    [InlineData("Finding", typeof(FindingsDocument.FindingPart))]
    [InlineData("Healing", typeof(FindingsDocument.HealingPart))]
    [InlineData("Blocked", typeof(Blocked))]
    [InlineData("Artifact", typeof(BlockedArtifact))]
    [InlineData("Problem", typeof(Problem))]
    [InlineData("Plan", typeof(PlanDocument))]
    [InlineData("Run", typeof(RunDocument))]
    [InlineData("Block", typeof(BlockPart))]
    [InlineData("Repair", typeof(RepairPart))]
    [InlineData("Refusal", typeof(RefusalPart))]
    [InlineData("History", typeof(HistoryDocument))]
    [InlineData("Line", typeof(HistoryDocument.LinePart))]
    [InlineData("Undo", typeof(UndoDocument))]
    [InlineData("AlertsAnswer", typeof(AlertsAnswer))]
    [InlineData("Known", typeof(AlertsAnswer.KnownPart))]
    [InlineData("LastRun", typeof(AlertsAnswer.LastRunPart))]
    public void A_schema_has_the_properties_of_its_type_and_no_other(string schema, Type type)
    {
        JsonSerializerContext[] contexts = [FindingsJson.Default, ProblemJson.Default, RequestsJson.Default, AlertsJson.Default];
        var typeInfo = contexts.Select(context => context.GetTypeInfo(type)).First(info => info is not null)!;
        var properties = Map(Schema(schema), "properties");
        Assert.Equal(typeInfo.Properties.Select(property => property.Name), properties.Children.Keys.Select(key => key.ToString()));
        foreach (var property in typeInfo.Properties) Assert.Equal((property.Name, TypeOf(property.PropertyType)), (property.Name, Text(Resolved((YamlMappingNode)properties[property.Name]), "type")));
        // What can be absent is what can be null.
        var nullability = new System.Reflection.NullabilityInfoContext();
        var nullable = type.GetProperties().Where(property => nullability.Create(property).ReadState == System.Reflection.NullabilityState.Nullable)
            .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(typeInfo.Properties.Select(property => property.Name).Where(name => !nullable.Contains(name)), Words(Schema(schema), "required"));
    }

    [Fact]
    public void Every_schema_is_tested_above_or_is_a_closed_set()
    {
        var tested = typeof(OpenApiTests).GetMethod(nameof(A_schema_has_the_properties_of_its_type_and_no_other))!.GetCustomAttributes(typeof(InlineDataAttribute), false)
            .Cast<InlineDataAttribute>().Select(data => (string)data.Data[0]!);
        Assert.Equal(Map(Map(Document, "components"), "schemas").Children.Keys.Select(key => key.ToString()).Order(StringComparer.Ordinal), tested.Concat([.. ClosedSets, .. Requests]).Order(StringComparer.Ordinal));
    }

    private static readonly string[] ClosedSets = ["Verdict", "Type", "RunEnd", "RepairAction", "RepairState", "RepairFailure", "SkipReason"];

    /// <summary>What is sent; the tests of the routes send it.</summary>
    private static readonly string[] Requests = ["RepairRequest", "RepairFilter", "UndoRequest", "Notification", "Alert", "AlertLabels"];

    [Fact]
    public void The_words_are_the_closed_sets_of_the_code()
    {
        Assert.Equal(Names<RunEnd>(), Words(Schema("RunEnd"), "enum"));
        Assert.Equal(HistoryQuery.Actions, Words(Schema("RepairAction"), "enum"));
        Assert.Equal(RepairState.All, Words(Schema("RepairState"), "enum"));
        Assert.Equal(RepairFailure.All, Words(Schema("RepairFailure"), "enum"));
        Assert.Equal(SkipReason.All, Words(Schema("SkipReason"), "enum"));
        Assert.Equal(AlertsAnswer.Statuses, Words(Property("AlertsAnswer", "status"), "enum"));
        Assert.Equal(RemediationModeWords.All, Words(Property("AlertsAnswer", "mode"), "enum"));
        Assert.Equal(RemediationModeWords.All, Words(Property("Plan", "mode"), "enum"));
        Assert.Equal(RemediationModeWords.All.Skip(1), Words(Property("Run", "mode"), "enum"));
        Assert.Equal(AlertmanagerNotification.KnownVersions, Words(Property("Notification", "version"), "enum"));
        Assert.Equal([RunSource.Alert, RunSource.Api, RunSource.Command, RunSource.Verification], Words(Property("Line", "source"), "enum"));
        Assert.Equal(FindingsFilter.VerdictWords, Words(Schema("Verdict"), "enum"));
        Assert.Equal(ScanType.All, Words(Schema("Type"), "enum"));
        Assert.Equal(Names<ScanningLevel>(), Words(Property("State", "level"), "enum"));
        Assert.Equal(Names<Severity>(), Words(Property("Finding", "severity"), "enum"));
        Assert.Equal(Names<FindingKind>(), Words(Property("Finding", "kind"), "enum"));
        Assert.Equal([.. Enum.GetValues<EvidenceState>().Select(state => state.Word()), "unknown"], Words(Property("JobService", "evidence"), "enum"));
        Assert.Equal([FindingsDocument.CurrentVersion], Words(Property("Findings", "version"), "enum"));
        Assert.Equal(Names<FindingOrder>(), Words(Map(Map(Map(Document, "components", "parameters"), "sort"), "schema"), "enum"));
    }

    [Fact]
    public void The_parameters_and_their_limits_are_those_of_the_code()
    {
        string[] told = [.. Parameters("/api/v1/findings").Select(parameter => Text(parameter, "name"))];
        Assert.Equal(FindingsQuery.Parameters, told);
        Assert.Equal([.. FindingsQuery.Parameters, "q", "sort", "refresh"], Parameters("/").Select(parameter => Text(parameter, "name")));
        Assert.Equal(PlanQuery.Parameters, Parameters("/api/v1/plan").Select(parameter => Text(parameter, "name")));
        Assert.Equal(HistoryQuery.Parameters, Parameters("/api/v1/repairs").Select(parameter => Text(parameter, "name")));
        var size = Map(Parameters("/api/v1/findings").Last(), "schema");
        Assert.Equal(($"{FindingsQuery.MostOnPage}", $"{FindingsQuery.DefaultPageSize}"), (Text(size, "maximum"), Text(size, "default")));
        Assert.Equal($"{StatusQuery.DefaultRefreshSeconds}", Text(Map(Parameters("/").Last(), "schema"), "default"));
    }

    [Fact]
    public async Task A_rich_answer_is_as_described()
    {
        await using var night = await TroubledNight.StartAsync();
        HashSet<string> met = new(StringComparer.Ordinal);
        using var rich = JsonDocument.Parse(await night.Operated.GetAsync("/api/v1/findings"));
        Check(rich.RootElement, Schema("Findings"), "", met);
        await using var away = await OperatedHarbor.StartAsync(changes: ("HARBOR_DATABASE_PORT", $"{Tool.FreePort()}"));
        using var empty = JsonDocument.Parse(await away.GetAsync("/api/v1/findings"));
        Check(empty.RootElement, Schema("Findings"), "", met);
        using var problem = JsonDocument.Parse(await away.GetAsync("/api/v1/findings?page=0"));
        Check(problem.RootElement, Schema("Problem"), "", met);
        // The situation is rich: all but a few properties were seen with a value.
        string[] notMet = [.. new[] { "Findings", "Summary", "ManualScanAll", "ScanAll", "JobService", "Finding", "Blocked", "Artifact", "Healing" }
            .SelectMany(name => Map(Schema(name), "properties").Children.Keys.Select(key => key.ToString())).Distinct().Where(name => !met.Contains(name))];
        Assert.Equal(["incomplete", "read_only", "problem"], notMet);
    }

    [Fact]
    public async Task Answers_about_repairs_are_as_described()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        // One more, which was seen once only.
        await repairs.LoseScanAsync("d318c1b17dff242a33f02599");
        await repairs.Exporter.ScrapeAsync();
        time.Advance(TimeSpan.FromSeconds(61));
        HashSet<string> met = new(StringComparer.Ordinal);
        Check((await repairs.GetAsync("/api/v1/plan")).Body, Schema("Plan"), "", met);
        var run = (await repairs.PostAsync("/api/v1/repairs", """{"mode":"execute","ids":["task-1"],"actor":"ada","note":"why"}""")).Body;
        Check(run, Schema("Run"), "", met);
        var id = Assert.Single(run.GetProperty("repairs").EnumerateArray()).GetProperty("audit_id").GetInt64();
        Check((await repairs.PostAsync($"/api/v1/repairs/{id}/undo", "")).Body, Schema("Undo"), "", met);
        Check((await repairs.GetAsync("/api/v1/repairs")).Body, Schema("History"), "", met);
        foreach (var _ in Enumerable.Range(0, 2))
            Check((await repairs.PostAsync("/api/v1/alerts", Notification.Of("HarborScanLost"))).Body, Schema("AlertsAnswer"), "", met);
        string[] notMet = [.. new[] { "Plan", "Run", "Repair", "Refusal", "History", "Line", "Undo", "AlertsAnswer", "Known", "LastRun" }
            .SelectMany(name => Map(Schema(name), "properties").Children.Keys.Select(key => key.ToString())).Distinct().Where(name => !met.Contains(name))];
        Assert.Equal(["problem", "incomplete", "failure", "verification"], notMet);
    }

    private static void Check(JsonElement value, YamlMappingNode described, string path, HashSet<string> met)
    {
        var schema = Resolved(described);
        var type = Text(schema, "type");
        var fits = value.ValueKind switch
        {
            JsonValueKind.Object => type == "object",
            JsonValueKind.Array => type == "array",
            JsonValueKind.String => type == "string",
            JsonValueKind.Number => type == "number" || (type == "integer" && value.TryGetInt64(out _)),
            JsonValueKind.True or JsonValueKind.False => type == "boolean",
            _ => false,
        };
        Assert.True(fits, $"{path} is {value.ValueKind} and described as {type}");
        if (schema.Children.ContainsKey("enum")) Assert.Contains(value.GetString(), Words(schema, "enum"));
        if (schema.Children.ContainsKey("format")) Assert.True(value.TryGetDateTimeOffset(out _), path);
        if (type == "array") foreach (var item in value.EnumerateArray()) Check(item, Map(schema, "items"), $"{path}[]", met);
        if (type != "object") return;
        if (schema.Children.ContainsKey("required"))
            foreach (var name in Words(schema, "required")) Assert.True(value.TryGetProperty(name, out _), $"{path} lacks {name}");
        foreach (var property in value.EnumerateObject())
        {
            met.Add(property.Name);
            var of = schema.Children.ContainsKey("properties") ? Map(schema, "properties") : null;
            Assert.True(of is null || of.Children.ContainsKey(property.Name), $"{path}.{property.Name} is not described");
            Check(property.Value, of is null ? Map(schema, "additionalProperties") : (YamlMappingNode)of[property.Name], $"{path}.{property.Name}", met);
        }
    }

    private static string TypeOf(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(string) || type == typeof(DateTimeOffset) || type.IsEnum) return "string";
        if (type == typeof(int) || type == typeof(long)) return "integer";
        if (type == typeof(double)) return "number";
        if (type == typeof(bool)) return "boolean";
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? "array" : "object";
    }

    private static IEnumerable<string> Names<T>() where T : struct, Enum => Enum.GetNames<T>().Select(name => JsonNamingPolicy.SnakeCaseLower.ConvertName(name));

    private static YamlMappingNode Read()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(OpenApi.Text));
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    private static YamlMappingNode Schema(string name) => Map(Document, "components", "schemas", name);

    private static YamlMappingNode Property(string schema, string name) => Map(Schema(schema), "properties", name);

    private static YamlMappingNode[] Parameters(string path) => [.. ((YamlSequenceNode)Map(Document, "paths", path, "get")["parameters"]).Cast<YamlMappingNode>().Select(Resolved)];

    private static YamlMappingNode Resolved(YamlMappingNode node) =>
        node.Children.TryGetValue("$ref", out var reference) ? Map(Document, reference.ToString()[2..].Split('/')) : node;

    private static YamlMappingNode Map(YamlMappingNode node, params string[] path) => path.Aggregate(node, (at, name) => (YamlMappingNode)at[name]);

    private static string Text(YamlMappingNode node, string name) => node[name].ToString();

    private static string[] Words(YamlMappingNode node, string name) => [.. ((YamlSequenceNode)node[name]).Select(word => word.ToString())];
}
