using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace HarborScanExporter.Benchmarks.Attacks;

/// <summary>What an attack did, and what others noticed of it.</summary>
internal sealed record AttackFigures(Attack Attack, TimeSpan Time, long Connections, long Bytes, Asked Scrapes, Asked Health)
{
    /// <summary>The longest that an orchestrator should wait for the word of a process.</summary>
    public static readonly TimeSpan LongestHealth = TimeSpan.FromSeconds(1);

    /// <summary>Another address of this machine than that of those who ask honestly.</summary>
    public static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.2");

    /// <summary>Attacks for so long while somebody scrapes and somebody asks for the health.</summary>
    /// <param name="attack">The attack.</param>
    /// <param name="target">The listener that is attacked.</param>
    /// <param name="from">The address that the attack comes from.</param>
    /// <param name="honest">The listener that is scraped.</param>
    /// <param name="time">How long.</param>
    /// <param name="cancellationToken">Ends it earlier.</param>
    public static async Task<AttackFigures> RunAsync(Attack attack, IPEndPoint target, IPAddress from, IPEndPoint honest, TimeSpan time, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(time);
        var attacker = new Attacker(attack, target, from);
        var begun = Stopwatch.GetTimestamp();
        var scrapes = new HonestClient(honest, "/metrics", "\nharbor_scan_up 1\n", TimeSpan.FromSeconds(1)).AskAsync(end.Token);
        var health = new HonestClient(honest, "/healthz", "\nok\n", TimeSpan.FromMilliseconds(250)).AskAsync(end.Token);
        await attacker.RunAsync(end.Token);
        return new AttackFigures(attack, Stopwatch.GetElapsedTime(begun), attacker.Opened, attacker.Sent, await scrapes, await health);
    }

    /// <summary>What was not as it should be.</summary>
    public IReadOnlyList<string> Broken
    {
        get
        {
            List<string> broken = [];
            if (Scrapes.Failed > 0) broken.Add(Line($"{Attack.Name}: {Scrapes.Failed} of {Scrapes.Failed + Scrapes.Answered} scrapes failed, the first: {Scrapes.FirstFailure}"));
            if (Scrapes.Answered == 0) broken.Add($"{Attack.Name}: nothing was scraped");
            if (Health.Failed > 0) broken.Add(Line($"{Attack.Name}: {Health.Failed} of {Health.Failed + Health.Answered} requests to /healthz failed, the first: {Health.FirstFailure}"));
            if (Health.Longest > LongestHealth) broken.Add(Line($"{Attack.Name}: /healthz took {Health.Longest.TotalSeconds:F2} s"));
            return broken;
        }
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
