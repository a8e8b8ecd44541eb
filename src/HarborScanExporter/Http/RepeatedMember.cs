using System.Text.Json;

namespace HarborScanExporter.Http;

/// <summary>Looks for a member that stands in its object more than once.</summary>
internal static class RepeatedMember
{
    /// <summary>The path of the first one, for example <c>alerts[0].labels.alertname</c>, also of a member whose name is no text; null when there is none.</summary>
    public static string? In(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => InObject(element),
        JsonValueKind.Array => InArray(element),
        _ => null,
    };

    private static string? InObject(JsonElement element)
    {
        HashSet<string>? met = null;
        foreach (var member in element.EnumerateObject())
        {
            if (NameOf(member) is not { } name) return "?";
            if (!(met ??= new HashSet<string>(StringComparer.Ordinal)).Add(name)) return JsonBody.Shown(name);
            if (In(member.Value) is { } inner) return JsonBody.Shown(name) + (inner.StartsWith('[') ? inner : $".{inner}");
        }
        return null;
    }

    private static string? InArray(JsonElement element)
    {
        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            if (In(item) is { } inner) return FormattableString.Invariant($"[{index}]") + (inner.StartsWith('[') ? inner : $".{inner}");
            index++;
        }
        return null;
    }

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is JSON and no text.
            return null;
        }
    }
}
