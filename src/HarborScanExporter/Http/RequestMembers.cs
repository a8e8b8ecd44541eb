using System.Text.Json;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http;

/// <summary>Reads the members of an object of JSON, each with a refusal of its own; the first one is kept. A member that is null counts as not given.</summary>
internal sealed class RequestMembers
{
    /// <summary>The members that say who asks.</summary>
    public static readonly string[] OfAsker = ["actor", "note"];

    /// <summary>Whoever gives no name.</summary>
    public const string Unnamed = "unnamed";

    private const int MostOfText = 200;
    private const int MostOfNote = 1000;

    private readonly JsonElement _body;
    private readonly string _path;

    /// <param name="body">The value that should be an object.</param>
    /// <param name="path">What stands before the names in a refusal.</param>
    /// <param name="known">Every member that it may have.</param>
    public RequestMembers(JsonElement body, string path, IReadOnlyList<string> known)
    {
        (_body, _path) = (body, path);
        if (body.ValueKind != JsonValueKind.Object)
        {
            Bad = new BadParameter(path.TrimEnd('.') is { Length: > 0 } name ? name : "body", $"Give an object. It takes {string.Join(", ", known)}.");
            return;
        }
        foreach (var member in body.EnumerateObject())
        {
            var name = NameOf(member);
            if (known.Contains(name)) continue;
            var meant = Nearest.Of(name, known) is { } nearest ? $"; did you mean {nearest}?" : ".";
            Bad = new BadParameter(_path + JsonBody.Shown(name), $"There is no such member{meant} It takes {string.Join(", ", known)}.");
            return;
        }
    }

    /// <summary>The first thing that is wrong; null while nothing is.</summary>
    public BadParameter? Bad { get; private set; }

    /// <summary>Says what is wrong with a member.</summary>
    public void Refuse(string name, string detail) => Bad ??= new BadParameter(_path + name, detail);

    /// <summary>Takes over what is wrong with an inner object.</summary>
    public void Take(RequestMembers inner) => Bad ??= inner.Bad;

    /// <summary>A text.</summary>
    public string? Text(string name, int most = MostOfText) => Member(name) is { } value ? TextOf(name, value, most) : null;

    /// <summary>A word of a closed set.</summary>
    public string? Word(string name, IReadOnlyList<string> words)
    {
        var text = Text(name);
        if (text is null || words.Contains(text)) return text;
        Refuse(name, $"{JsonBody.Shown(text)} is unknown. Give one of {string.Join(", ", words)}.");
        return text;
    }

    /// <summary>true or false; false when it is not given.</summary>
    public bool Flag(string name)
    {
        if (Member(name) is not { } value) return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) Refuse(name, "Give true or false.");
        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string>? Texts(string name, int most)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is var length && (length == 0 || length > most))
        {
            Refuse(name, $"Give a list of 1 to {most} texts, or leave it out.");
            return null;
        }
        return [.. value.EnumerateArray().Select(text => TextOf(name, text, MostOfText)).OfType<string>()];
    }

    /// <summary>An inner object; null when it is not given.</summary>
    public RequestMembers? Object(string name, IReadOnlyList<string> known)
    {
        if (Member(name) is not { } value) return null;
        return new RequestMembers(value, $"{_path}{name}.", known);
    }

    /// <summary>Who asks by this interface.</summary>
    /// <param name="overridden">What was overridden, which the note then says first.</param>
    public Asker Asker(string? overridden = null)
    {
        var note = string.Join(' ', new[] { overridden, Text("note", MostOfNote) }.Where(part => !string.IsNullOrEmpty(part)));
        return new Asker(RunSource.Api, Text("actor") is { Length: > 0 } actor ? actor : Unnamed, note.Length > 0 ? note : null);
    }

    /// <summary>Nothing is looked for beside a name that could not be read.</summary>
    private JsonElement? Member(string name) =>
        Bad is null && _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private string? TextOf(string name, JsonElement value, int most)
    {
        string? text = null;
        try
        {
            if (value.ValueKind == JsonValueKind.String) text = value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is JSON and no text.
        }
        // PostgreSQL takes no zero byte, and no log a line break in a name.
        if (text is not null && text.Length <= most && !text.Any(char.IsControl)) return text.Trim();
        Refuse(name, $"Give a text of at most {most} characters without control characters.");
        return null;
    }

    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            // As with texts.
            return "?";
        }
    }
}
