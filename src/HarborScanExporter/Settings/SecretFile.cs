namespace HarborScanExporter.Settings;

/// <summary>
/// A file that holds one secret. It is read anew at each use, for a mounted secret is exchanged behind a link whose own time never changes; but beside
/// whoever asks, so that a mount that hangs holds nobody up. When it cannot be used, the newest text that could be counts on.
/// </summary>
internal sealed class SecretFile
{
    /// <summary>How long a use waits for the file, once in a hang; after that the newest text counts at once.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long the first use waits, which has no text to go on with.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(10);

    private const int MostBytes = 64 * 1024;
    private const int MostOfToken = 4096;

    private readonly Lock _lock = new();
    private readonly Func<byte[]> _read;
    private readonly int _most;
    private readonly Func<string, string> _trim;
    private readonly Func<string, string?> _check;
    private string? _text;
    private string? _problem;
    private Task? _reading;
    private bool _isLate;

    /// <param name="setting">The setting that names it.</param>
    /// <param name="path">The file.</param>
    /// <param name="most">The most bytes.</param>
    /// <param name="trim">Takes away what is no part of the secret.</param>
    /// <param name="check">What is wrong with a text that is one, with the mend; null when nothing is.</param>
    /// <param name="read">Reads at most one byte more; the file itself when not given.</param>
    public SecretFile(string setting, string path, int most, Func<string, string> trim, Func<string, string?> check, Func<byte[]>? read = null)
    {
        (Setting, Path, _most, _trim, _check) = (setting, path, most, trim, check);
        _read = read ?? ReadFile;
    }

    /// <summary>The setting that names it.</summary>
    public string Setting { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Is told once when the file cannot be used any more, what is wrong with the mend, and once null when it can.</summary>
    public Action<string?>? Told { get; set; }

    /// <summary>The file of a password: its blanks belong to it.</summary>
    public static SecretFile OfPassword(string setting, string path) => new(setting, path, MostBytes, text => text, _ => null);

    /// <summary>The file of the URL of Redis.</summary>
    public static SecretFile OfRedisUrl(string setting, string path) => new(setting, path, MostBytes, text => text.Trim(), text =>
    {
        RedisSettings.Parse(text, out var problem);
        return problem;
    });

    /// <summary>The file of the token of the second listener.</summary>
    public static SecretFile OfToken(string setting, string path) => new(setting, path, MostOfToken, text => text.Trim(), text =>
        text.Length < OperationsSettings.LeastTokenLength
            ? $"the token in {path} has fewer than {OperationsSettings.LeastTokenLength} characters. Write a longer one, for example with openssl rand -hex 32."
            : null);

    /// <summary>What is wrong with the file now, with the mend; null when it can be used. Waits for it.</summary>
    public string? Check()
    {
        var (reading, _) = Begin();
        if (!reading.Wait(FirstPatience)) GiveUp(reading, FirstPatience);
        lock (_lock) return _problem;
    }

    /// <summary>The secret.</summary>
    /// <exception cref="UnusableSecretException">The file could never be used.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<string> ReadAsync(CancellationToken cancellationToken = default)
    {
        var (reading, isLate) = Begin();
        if (!isLate)
        {
            var patience = _text is null ? FirstPatience : Patience;
            try
            {
                await reading.WaitAsync(patience, cancellationToken);
            }
            catch (TimeoutException)
            {
                GiveUp(reading, patience);
            }
        }
        return Newest();
    }

    /// <summary>The same, for a caller that cannot wait otherwise.</summary>
    /// <exception cref="UnusableSecretException">The file could never be used.</exception>
    public string Read()
    {
        var (reading, isLate) = Begin();
        if (!isLate && !reading.Wait(Patience)) GiveUp(reading, Patience);
        return Newest();
    }

    private string Newest()
    {
        lock (_lock) return _text ?? throw new UnusableSecretException($"{Setting}: {_problem}");
    }

    /// <summary>Joins the reading that is under way or begins one: however long one hangs, no second thread hangs with it.</summary>
    private (Task Reading, bool IsLate) Begin()
    {
        lock (_lock)
        {
            if (_reading is not { IsCompleted: false }) (_reading, _isLate) = (Task.Run(ReadNow), false);
            return (_reading, _isLate);
        }
    }

    private void GiveUp(Task reading, TimeSpan patience)
    {
        lock (_lock)
        {
            if (reading.IsCompleted || _reading != reading || _isLate) return;
            _isLate = true;
        }
        Settle(null, FormattableString.Invariant($"{Path} does not answer within {patience.TotalSeconds} s: its mount hangs, or it is no regular file. Look at the mount, or name another file."));
    }

    private void ReadNow()
    {
        string? text = null;
        string? problem;
        try
        {
            var bytes = _read();
            if (bytes.Length > _most) problem = FormattableString.Invariant($"{Path} has more than {_most} bytes. Write the secret alone into it.");
            else if (SecretText.Of(bytes, Path, out problem) is { } read) problem = _check(text = _trim(read));
        }
        catch (UnusableSecretException error)
        {
            problem = error.Message;
        }
        catch (UnauthorizedAccessException)
        {
            problem = $"this process may not read {Path}. Make it readable for the user that runs it.";
        }
        catch (IOException)
        {
            problem = $"there is no readable file {Path}. Mount it, or correct the path.";
        }
        Settle(text, problem);
    }

    private void Settle(string? text, string? problem)
    {
        lock (_lock)
        {
            if (problem is null) _text = text;
            if (_problem == problem) return;
            _problem = problem;
        }
        Told?.Invoke(problem);
    }

    /// <exception cref="UnusableSecretException">It is a directory, or has no length: empty, or a pipe or a device, whose opening may wait for ever.</exception>
    private byte[] ReadFile()
    {
        if (Directory.Exists(Path)) throw new UnusableSecretException($"{Path} is a directory. Name the file in it.");
        var file = File.ResolveLinkTarget(Path, returnFinalTarget: true)?.FullName ?? Path;
        if (new FileInfo(file).Length == 0) throw new UnusableSecretException($"{Path} is empty, or a pipe or a device. Write the secret into a regular file.");
        using var stream = File.OpenRead(Path);
        var bytes = new byte[_most + 1];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
