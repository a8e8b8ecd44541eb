using System.Text;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Settings;

/// <summary>Files of secrets in every form in which people, editors and mounts leave them.</summary>
public sealed class SecretFileTests : IDisposable
{
    private const string Token = "planted-token-3f9c2b7e51d0";
    private const string Url = "redis://:hunter2@redis:6379/1";

    private static readonly (string Name, string Value)[] Least = [("HARBOR_DATABASE_HOST", "db"), ("HARBOR_DATABASE_USERNAME", "scraper")];

    private readonly string _folder = Directory.CreateTempSubdirectory("harbor-secrets-").FullName;

    private string Name => Path.Combine(_folder, "secret");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string> Forms
    {
        get
        {
            var forms = new TheoryData<string, string>();
            foreach (var form in new[] { "as it is", "a line break", "two line breaks", "Windows line break", "mark of UTF-8", "mark and line break", "link" })
                foreach (var setting in Settings.Keys) forms.Add(form, setting);
            return forms;
        }
    }

    /// <summary>Each setting that names a file of a secret, what else it needs, and a secret that fits.</summary>
    private static readonly Dictionary<string, ((string Name, string Value)[] With, string Secret)> Settings = new()
    {
        [Setting.Names.DatabasePasswordFile] = ([], "pass word "),
        [Setting.Names.RedisUrlFile] = ([], Url),
        [Setting.Names.ApiPasswordFile] = ([(Setting.Names.ServiceHost, "core"), (Setting.Names.ApiUsername, "robot")], "pässword"),
        [Setting.Names.RemediationDatabasePasswordFile] = ([(Setting.Names.RemediationDatabaseUsername, "repairer")], "x"),
        [Setting.Names.OperationsTokenFile] = ([(Setting.Names.OperationsListen, "http://127.0.0.1:0")], Token),
    };

    [Fact]
    public void Every_setting_that_names_a_file_of_a_secret_is_tried() =>
        Assert.Equal(Setting.All.Select(setting => setting.Name).Where(name => name.EndsWith("_FILE", StringComparison.Ordinal) && name != Setting.Names.RemediationPauseFile).Order(StringComparer.Ordinal),
            Settings.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_secret_is_read_in_each_of_these_forms(string form, string setting)
    {
        var secret = Settings[setting].Secret;
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: true);
        byte[] bytes = form switch
        {
            "a line break" => Encoding.UTF8.GetBytes(secret + "\n"),
            "two line breaks" => Encoding.UTF8.GetBytes(secret + "\n\n"),
            "Windows line break" => Encoding.UTF8.GetBytes(secret + "\r\n"),
            "mark of UTF-8" => [.. utf8.Preamble, .. utf8.GetBytes(secret)],
            "mark and line break" => [.. utf8.Preamble, .. utf8.GetBytes(secret + "\r\n")],
            _ => Encoding.UTF8.GetBytes(secret),
        };
        File.WriteAllBytes(form == "link" ? Name + "-behind" : Name, bytes);
        if (form == "link") File.CreateSymbolicLink(Name, Name + "-behind");
        var reading = Read(setting);
        Assert.Empty(reading.Errors);
        Assert.Equal(secret, Assert.Single(reading.Settings!.SecretFiles).Read());
    }

    public static TheoryData<string, string> BadForms
    {
        get
        {
            var forms = new TheoryData<string, string>();
            foreach (var form in Mends.Keys)
                foreach (var setting in Settings.Keys) forms.Add(form, setting);
            return forms;
        }
    }

    private static readonly Dictionary<string, string> Mends = new()
    {
        ["missing"] = "there is no readable file {0}. Mount it, or correct the path.",
        ["broken link"] = "there is no readable file {0}. Mount it, or correct the path.",
        ["directory"] = "{0} is a directory. Name the file in it.",
        ["link to a directory"] = "{0} is a directory. Name the file in it.",
        ["pipe"] = "{0} is empty, or a pipe or a device. Write the secret into a regular file.",
        ["device"] = "{0} is empty, or a pipe or a device. Write the secret into a regular file.",
        ["empty"] = "{0} is empty, or a pipe or a device. Write the secret into a regular file.",
        ["blank"] = "{0} is empty. Write the secret into it.",
        ["mark alone"] = "{0} is empty. Write the secret into it.",
        ["UTF-16, low byte first"] = "{0} is written in UTF-16 or holds zero bytes. Save it as UTF-8.",
        ["UTF-16, high byte first"] = "{0} is written in UTF-16 or holds zero bytes. Save it as UTF-8.",
        ["UTF-16 without mark"] = "{0} is written in UTF-16 or holds zero bytes. Save it as UTF-8.",
        ["Latin-1"] = "{0} holds bytes that are no UTF-8. Save it as UTF-8.",
        ["two lines"] = "{0} holds a line break or another control character within its text. Write the secret alone into it, on one line.",
        ["escape sequence"] = "{0} holds a line break or another control character within its text. Write the secret alone into it, on one line.",
        ["mark within"] = "{0} holds a line break or another control character within its text. Write the secret alone into it, on one line.",
    };

    [Theory]
    [MemberData(nameof(BadForms))]
    public async Task What_is_no_secret_stops_the_start_with_the_file_and_the_mend(string form, string setting)
    {
        var secret = Settings[setting].Secret;
        switch (form)
        {
            case "missing": break;
            case "broken link": File.CreateSymbolicLink(Name, Name + "-behind"); break;
            case "directory": Directory.CreateDirectory(Name); break;
            case "link to a directory": Directory.CreateSymbolicLink(Name, _folder); break;
            case "pipe": Assert.Equal(0, (await Tool.RunAsync("mkfifo", [Name])).ExitCode); break;
            case "device": File.CreateSymbolicLink(Name, "/dev/zero"); break;
            default:
                await File.WriteAllBytesAsync(Name, form switch
                {
                    "blank" => Encoding.UTF8.GetBytes(" \r\n\n"),
                    "mark alone" => [0xEF, 0xBB, 0xBF, (byte)'\n'],
                    "UTF-16, low byte first" => [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(secret)],
                    "UTF-16, high byte first" => [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(secret)],
                    "UTF-16 without mark" => Encoding.Unicode.GetBytes(secret),
                    "Latin-1" => Encoding.Latin1.GetBytes(secret + "ü"),
                    "two lines" => Encoding.UTF8.GetBytes($"{secret}\n{secret}\n"),
                    "escape sequence" => Encoding.UTF8.GetBytes($"{secret}\u001b[0m"),
                    "mark within" => Encoding.UTF8.GetBytes($"{secret}\uFEFF{secret}"),
                    _ => [],
                }, Cancellation);
                break;
        }
        var reading = Read(setting);
        Assert.Equal([$"{setting}: {string.Format(System.Globalization.CultureInfo.InvariantCulture, Mends[form], Name)}"], reading.Errors);
        Assert.Null(reading.Settings);
    }

    [Fact]
    public async Task A_file_of_more_than_64_KiB_is_no_secret_nor_is_a_URL_of_another_program()
    {
        await File.WriteAllTextAsync(Name, new string('x', (64 * 1024) + 1), Cancellation);
        Assert.Equal([$"HARBOR_DATABASE_PASSWORD_FILE: {Name} has more than 65536 bytes. Write the secret alone into it."], Read(Setting.Names.DatabasePasswordFile).Errors);
        await File.WriteAllTextAsync(Name, new string('x', 64 * 1024), Cancellation);
        Assert.Empty(Read(Setting.Names.DatabasePasswordFile).Errors);
        await File.WriteAllTextAsync(Name, "postgres://db", Cancellation);
        Assert.Equal(["HARBOR_REDIS_URL_FILE: it begins with none of redis://, rediss://, redis+sentinel://, rediss+sentinel://. Take Harbor's own URL of the job service's Redis."],
            Read(Setting.Names.RedisUrlFile).Errors);
    }

    [Fact]
    public async Task What_spoils_later_is_told_once_and_the_newest_good_text_counts_until_it_is_mended()
    {
        await File.WriteAllTextAsync(Name, Token, Cancellation);
        var file = SecretFile.OfToken("SETTING", Name);
        Assert.Null(file.Check());
        List<string?> told = [];
        file.Told = told.Add;
        await File.WriteAllBytesAsync(Name, [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Token)], Cancellation);
        for (var i = 0; i < 3; i++) Assert.Equal(Token, await file.ReadAsync(Cancellation));
        await File.WriteAllTextAsync(Name, "short", Cancellation);
        for (var i = 0; i < 3; i++) Assert.Equal(Token, await file.ReadAsync(Cancellation));
        await File.WriteAllTextAsync(Name, "another-token-5c1e7a", Cancellation);
        for (var i = 0; i < 3; i++) Assert.Equal("another-token-5c1e7a", await file.ReadAsync(Cancellation));
        Assert.Equal(
            [
                $"{Name} is written in UTF-16 or holds zero bytes. Save it as UTF-8.", $"the token in {Name} has fewer than 16 characters. Write a longer one, for example with openssl rand -hex 32.", null,
            ],
            told);
    }

    [Fact]
    public async Task A_mount_that_hangs_holds_one_thread_and_after_the_first_use_nobody()
    {
        using var hangs = new ManualResetEventSlim(initialState: true);
        var (reads, text) = (0, Token);
        var file = new SecretFile("SETTING", "/mnt/token", 100, read => read, _ => null, () =>
        {
            Interlocked.Increment(ref reads);
            hangs.Wait(Cancellation);
            return Encoding.UTF8.GetBytes(text);
        });
        Assert.Equal(Token, await file.ReadAsync(Cancellation));
        List<string?> told = [];
        file.Told = told.Add;
        hangs.Reset();
        Assert.Equal(Token, await file.ReadAsync(Cancellation));
        // From here on nothing waits: each use is over before the file is asked again.
        for (var i = 0; i < 1000; i++)
        {
            var reading = file.ReadAsync(Cancellation);
            Assert.True(reading.IsCompletedSuccessfully);
            Assert.Equal(Token, await reading);
        }
        Assert.Equal(Token, file.Read());
        Assert.Equal(2, reads);
        Assert.Equal("/mnt/token does not answer within 2 s: its mount hangs, or it is no regular file. Look at the mount, or name another file.", Assert.Single(told));
        text = "another-token-5c1e7a";
        hangs.Set();
        await Eventually.HoldsAsync(async () => await file.ReadAsync(Cancellation) == text, TimeSpan.FromSeconds(20), () => "The file was not read again.");
        Assert.Null(told[^1]);
    }

    [Fact]
    public async Task Without_any_text_so_far_a_use_fails_with_the_file_and_the_mend()
    {
        var file = SecretFile.OfPassword("SETTING", Name);
        var message = $"SETTING: there is no readable file {Name}. Mount it, or correct the path.";
        Assert.Equal(message, (await Assert.ThrowsAsync<UnusableSecretException>(() => file.ReadAsync(Cancellation))).Message);
        Assert.Equal(message, Assert.Throws<UnusableSecretException>(file.Read).Message);
        await File.WriteAllTextAsync(Name, "x", Cancellation);
        Assert.Equal("x", await file.ReadAsync(Cancellation));
    }

    private SettingsReading Read(string setting) => SettingsReader.Read(
        Least.Concat(Settings[setting].With).Append((setting, Name)).ToDictionary(pair => pair.Item1, pair => pair.Item2), new Dictionary<string, string>());
}
