namespace HarborScanExporter.Tests.Dashboards;

/// <summary>A rule that a dashboard obeys; a finding is a sentence that names the place and what is wrong there.</summary>
internal delegate IEnumerable<string> DashboardRule(Dashboard dashboard);
