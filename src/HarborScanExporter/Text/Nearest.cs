namespace HarborScanExporter.Text;

/// <summary>Finds the name that was probably meant.</summary>
internal static class Nearest
{
    /// <summary>More changes of a letter than this make another name.</summary>
    private const int MostChanges = 4;

    /// <summary>The known name that differs least; null when all differ too much.</summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        var nearest = known.Select(word => (Word: word, Changes: Distance(name, word))).MinBy(word => word.Changes);
        return nearest.Changes <= MostChanges ? nearest.Word : null;
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[right.Length];
    }
}
