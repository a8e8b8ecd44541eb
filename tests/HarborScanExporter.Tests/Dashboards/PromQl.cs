using System.Text.RegularExpressions;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>A function or aggregation around a selector; <paramref name="Mode"/> is by, without or empty.</summary>
internal sealed record PromQlCall(string Name, string Mode, IReadOnlyList<string> Labels)
{
    /// <summary>It leaves one series per logical one, whichever replica it came from.</summary>
    public bool MergesReplicas => Name is "max" or "min" && Mode is "without" && Labels.Contains("instance") && Labels.Contains("pod");

    /// <summary>It adds up, counts or averages series that may come from several replicas.</summary>
    public bool AddsUp => Name is "sum" or "count" or "avg" or "count_values" or "stddev" or "stdvar"
        && !(Mode is "by" && Labels.Contains("instance"));
}

/// <summary>A metric with its matchers and range; <paramref name="Calls"/> are the calls around it, the outermost first.</summary>
internal sealed record PromQlSelector(string Metric, IReadOnlyList<string> Matchers, string Range, IReadOnlyList<PromQlCall> Calls);

/// <summary>A range over an expression, <c>(…)[1h:]</c>, with the calls around it, the outermost first.</summary>
internal sealed record PromQlSubquery(string Range, IReadOnlyList<PromQlCall> Calls);

/// <summary>The parts of an expression that the rules of dashboards speak about; its syntax is promtool's business.</summary>
internal sealed partial class PromQl
{
    private static readonly HashSet<string> Words =
        new(["and", "or", "unless", "offset", "bool", "atan2", "inf", "nan", "start", "end"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> Matching =
        new(["on", "ignoring", "group_left", "group_right"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> Grouping = new(["by", "without"], StringComparer.OrdinalIgnoreCase);

    private readonly List<string> _tokens;
    private readonly List<PromQlCall> _calls = [];
    private readonly List<PromQlSelector> _selectors = [];
    private readonly List<PromQlSubquery> _subqueries = [];
    private int _at;

    private PromQl(string expression)
    {
        _tokens = [.. Token().Matches(expression).Select(match => match.Value).Where(token => !token.StartsWith('#'))];
        while (_at < _tokens.Count) Step();
    }

    public IReadOnlyList<PromQlSelector> Selectors => _selectors;

    public IReadOnlyList<PromQlSubquery> Subqueries => _subqueries;

    /// <summary>Reads an expression. A grouping written after its operand is refused: the house writes it before.</summary>
    public static PromQl Read(string expression) => new(expression);

    [GeneratedRegex("""
        \#[^\n]* | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | \[[^\]]*\] | [A-Za-z_:][A-Za-z0-9_:]* | [0-9][0-9A-Za-z_.]* | \$\w+ | \$\{\w+\} | [=!]~ | [=!<>]= | \S
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();

    [GeneratedRegex("^[A-Za-z_:]")]
    private static partial Regex Identifier();

    private string Next => _at < _tokens.Count ? _tokens[_at] : "";

    private void Step()
    {
        var token = _tokens[_at++];
        if (token == "(") _calls.Add(new PromQlCall("", "", []));
        else if (token == ")") Close();
        else if (token == "{") Select("", MatchersAfterBrace());
        else if (token.StartsWith('[')) _subqueries.Add(new PromQlSubquery(token[1..^1], [.. _calls]));
        else if (Identifier().IsMatch(token)) Name(token);
    }

    private void Close()
    {
        if (_calls.Count > 0) _calls.RemoveAt(_calls.Count - 1);
        if (Grouping.Contains(Next)) throw new FormatException("Write by and without before the operand.");
        // The calls around a range are those that are still open.
        if (Next.StartsWith('[')) _subqueries.Add(new PromQlSubquery(_tokens[_at++][1..^1], [.. _calls]));
    }

    private void Name(string token)
    {
        if (Words.Contains(token)) return;
        if (Matching.Contains(token))
        {
            if (Next == "(") LabelList();
        }
        else if (Grouping.Contains(Next))
        {
            var mode = _tokens[_at++];
            var labels = LabelList();
            if (Next == "(") _at++;
            _calls.Add(new PromQlCall(token, mode, labels));
        }
        else if (Next == "(")
        {
            _at++;
            _calls.Add(new PromQlCall(token, "", []));
        }
        else
        {
            Select(token, Next == "{" ? MatchersAt() : []);
        }
    }

    private void Select(string metric, IReadOnlyList<string> matchers)
    {
        var range = Next.StartsWith('[') ? _tokens[_at++][1..^1] : "";
        _selectors.Add(new PromQlSelector(metric, matchers, range, [.. _calls]));
    }

    private List<string> MatchersAt()
    {
        _at++;
        return MatchersAfterBrace();
    }

    /// <summary>Each matcher as it is written, without blanks: <c>job=~"$job"</c>.</summary>
    private List<string> MatchersAfterBrace()
    {
        var matchers = new List<string>();
        var matcher = "";
        for (; _at < _tokens.Count; _at++)
        {
            var token = _tokens[_at];
            if (token is not ("," or "}"))
            {
                matcher += token;
                continue;
            }
            if (matcher.Length > 0) matchers.Add(matcher);
            matcher = "";
            if (token != "}") continue;
            _at++;
            break;
        }
        return matchers;
    }

    private List<string> LabelList()
    {
        var labels = new List<string>();
        while (_at < _tokens.Count && _tokens[_at++] is var token && token != ")")
        {
            if (Identifier().IsMatch(token)) labels.Add(token);
        }
        return labels;
    }
}
