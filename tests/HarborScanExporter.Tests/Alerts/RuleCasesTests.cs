namespace HarborScanExporter.Tests.Alerts;

public sealed class RuleCasesTests
{
    /// <summary>The watchdog fires whatever the metrics say: it has no threshold, and nothing looks like it.</summary>
    private static readonly string[] s_senseless =
        [$"HarborScanWatchdog: {RuleCases.Below}", $"HarborScanWatchdog: {RuleCases.Silent}"];

    [Fact]
    public void Every_alert_has_a_case_of_every_kind() =>
        Assert.Equal(s_senseless, RuleCases.Missing(AlertRules.Alerts.Select(alert => alert.Name), RuleCases.KindsOfAlerts, RuleCases.All));

    [Fact]
    public void Every_recording_rule_has_a_case_of_every_kind() =>
        Assert.Empty(RuleCases.Missing(AlertRules.Recordings.Select(rule => rule.Name), RuleCases.KindsOfRecordings, RuleCases.All));

    [Fact]
    public void A_rule_without_cases_is_found()
    {
        Assert.Equal(RuleCases.KindsOfAlerts.Count,
            RuleCases.Missing(["HarborScanInvented"], RuleCases.KindsOfAlerts, RuleCases.All).Count());
        Assert.Equal([$"HarborScanLost: {RuleCases.Silent}"],
            RuleCases.Missing(["HarborScanLost"], RuleCases.KindsOfAlerts,
                [.. RuleCases.All.Where(one => !one.IsOf("HarborScanLost", RuleCases.Silent))]));
    }

    [Fact]
    public void Cases_have_names_of_their_own() =>
        Assert.Empty(RuleCases.All.GroupBy(one => one.Name).Where(group => group.Count() > 1).Select(group => group.Key));

    [Fact]
    public void Every_case_is_of_a_known_kind()
    {
        string[] subjects = [.. AlertRules.Alerts.Select(alert => alert.Name), .. AlertRules.Recordings.Select(rule => rule.Name)];
        string[] kinds = [.. RuleCases.KindsOfAlerts, .. RuleCases.KindsOfRecordings];
        var unknown = RuleCases.All
            .Where(one => !one.Name.StartsWith("situation: ", StringComparison.Ordinal))
            .Where(one => !subjects.Any(subject => kinds.Any(kind => one.IsOf(subject, kind))))
            .Select(one => one.Name);
        Assert.Empty(unknown);
    }

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void A_case_expects_what_its_name_says(string alert)
    {
        var checks = RuleCases.All.SelectMany(one => one.Checks.Where(check => check.Alert == alert).Select(check => (Case: one, Check: check))).ToList();
        Assert.NotEmpty(checks);
        var loud = checks.Where(pair => pair.Case.IsOf(alert, RuleCases.After)).ToList();
        Assert.All(loud, pair => Assert.Single(pair.Check.Firing));
        Assert.All(checks.Where(pair => pair.Case.IsOf(alert, RuleCases.Fires)).GroupBy(pair => pair.Case.Name),
            one => Assert.Contains(one, pair => pair.Check.Firing.Count > 0));
        Assert.All(checks.Where(pair => new[] { RuleCases.Below, RuleCases.Before, RuleCases.Silent }.Any(kind => pair.Case.IsOf(alert, kind))),
            pair => Assert.Empty(pair.Check.Firing));
        Assert.All(checks.Where(pair => pair.Case.IsOf(alert, RuleCases.Replicas)), pair => Assert.Single(pair.Check.Firing));
        if (alert != "HarborScanWatchdog")
            Assert.All(checks.Where(pair => pair.Case.IsOf(alert, RuleCases.Harbors)),
                pair => Assert.Equal(["eu", "us"], pair.Check.Firing.Select(labels => labels["harbor"]).Order(StringComparer.Ordinal)));
        Assert.All(checks.Where(pair => pair.Case.IsOf(alert, RuleCases.Lost)).GroupBy(pair => pair.Case.Name),
            one => Assert.True(one.Count(pair => pair.Check.Firing.Count > 0) >= 2, $"{one.Key}: fires before the loss and after it."));
        Assert.All(checks.SelectMany(pair => pair.Check.Firing), labels => Assert.Equal(AlertRules.Find(alert).Labels["severity"], labels["severity"]));
    }

    [Theory]
    [MemberData(nameof(AlertRules.Names), MemberType = typeof(AlertRules))]
    public void Before_and_after_for_are_one_minute_apart(string alert)
    {
        TimeSpan At(string kind) => RuleCases.All.First(one => one.IsOf(alert, kind)).Checks.First(check => check.Alert == alert).At;
        Assert.Equal(TimeSpan.FromMinutes(1), At(RuleCases.After) - At(RuleCases.Before));
    }

    [Fact]
    public void Whole_situations_are_asked_of_every_alert_but_the_watchdog()
    {
        var situations = RuleCases.All.Where(one => one.Name.StartsWith("situation: ", StringComparison.Ordinal)).ToList();
        Assert.True(situations.Count >= 4);
        Assert.All(situations, one =>
        {
            Assert.Equal(
                AlertRules.Alerts.Select(alert => alert.Name).Where(name => name != "HarborScanWatchdog").Order(StringComparer.Ordinal),
                one.Checks.Select(check => check.Alert).Distinct().Order(StringComparer.Ordinal));
            Assert.All(one.Checks, check => Assert.Empty(check.Firing));
        });
    }
}
