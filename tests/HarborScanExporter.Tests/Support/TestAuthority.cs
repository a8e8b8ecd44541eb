namespace HarborScanExporter.Tests.Support;

/// <summary>An authority that nobody trusts unless told to, and a certificate of it for localhost, made by openssl.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("harbor-authority-");

    private TestAuthority()
    {
    }

    /// <summary>The authority's certificate.</summary>
    public string File => Path.Combine(_folder.FullName, "authority.pem");

    /// <summary>The server's certificate.</summary>
    public string Certificate => Path.Combine(_folder.FullName, "server.pem");

    /// <summary>The server's key.</summary>
    public string Key => Path.Combine(_folder.FullName, "server.key");

    public static async Task<TestAuthority> CreateAsync()
    {
        var authority = new TestAuthority();
        var folder = authority._folder.FullName;
        await OpensslAsync("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test authority", "-keyout", $"{folder}/authority.key", "-out", authority.File);
        await OpensslAsync("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", authority.Key, "-out", $"{folder}/server.csr");
        await System.IO.File.WriteAllTextAsync($"{folder}/names", "subjectAltName=DNS:localhost\n");
        await OpensslAsync("x509", "-req", "-in", $"{folder}/server.csr", "-CA", authority.File, "-CAkey", $"{folder}/authority.key", "-CAcreateserial",
            "-days", "2", "-extfile", $"{folder}/names", "-out", authority.Certificate);
        return authority;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task OpensslAsync(params string[] arguments)
    {
        var made = await Tool.RunAsync("openssl", arguments);
        Assert.True(made.ExitCode == 0, made.All);
    }
}
