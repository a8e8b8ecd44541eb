using HarborScanExporter.Database.Grants;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>Each right of an administrator alone keeps a role from being made one of the exporter's.</summary>
public sealed class RefusedRolesTests
{
    [Theory]
    [InlineData("01-scraping-role.sql")]
    [InlineData("03-remediation-role.sql")]
    public async Task A_role_with_one_right_of_an_administrator(string script)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var role = $"{harbor.Role}_other";
        await harbor.Database.ExecuteAsync($"create role {role}");
        try
        {
            foreach (var right in new[] { "superuser", "createrole", "createdb", "replication", "bypassrls" })
            {
                await harbor.Database.ExecuteAsync($"alter role {role} {right}");
                var error = await Assert.ThrowsAsync<PostgresException>(() => RunAsync(harbor, script, role));
                Assert.True(error.MessageText.StartsWith($"The role {role} is a superuser or may make roles or databases", StringComparison.Ordinal), $"{right}: {error.MessageText}");
                await harbor.Database.ExecuteAsync($"alter role {role} no{right}");
            }
            await RunAsync(harbor, script, role);
        }
        finally
        {
            await harbor.Database.ExecuteAsync($"drop owned by {role} cascade; drop role {role}");
        }
    }

    private static Task RunAsync(TestHarbor harbor, string script, string role) => harbor.Database.ExecuteAsync(RoleScript.Filled(script, new Dictionary<string, string>
    {
        ["role"] = script.StartsWith("01", StringComparison.Ordinal) ? role : harbor.Role,
        ["remediation_role"] = role, ["password"] = "", ["remediation_password"] = "", ["database"] = harbor.Database.Name,
    }));
}
