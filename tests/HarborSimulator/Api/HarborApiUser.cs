namespace HarborSimulator.Api;

/// <summary>Somebody who signs in to the API.</summary>
/// <param name="Name">The user's name.</param>
/// <param name="Password">The password.</param>
/// <param name="IsAdministrator">Whether the user may do what this API offers; others get 403.</param>
public sealed record HarborApiUser(string Name, string Password, bool IsAdministrator)
{
    /// <summary>The administrator of a new installation, with the password that Harbor's configuration comes with.</summary>
    public static HarborApiUser Administrator { get; } = new("admin", "Harbor12345", IsAdministrator: true);
}
