using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace HarborScanExporter.Tests.Support;

/// <summary>A real Chromium without a window, spoken to by its DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly RunningTool _process;
    private readonly string _folder;
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> _answers = new();
    private readonly ConcurrentDictionary<string, Action<string, JsonObject>> _sessions = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _sending = new(1);
    private Task _listening = Task.CompletedTask;
    private int _last;

    private Chromium(RunningTool process, string folder) => (_process, _folder) = (process, folder);

    public static async Task<Chromium> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("harbor-browser-").FullName;
        var door = Path.Combine(folder, "DevToolsActivePort");
        var process = await RunningTool.StartAsync("chromium",
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-extensions", "--hide-scrollbars", "--force-color-profile=srgb",
                "--remote-debugging-port=0", $"--user-data-dir={folder}", "about:blank",
            ],
            async () => File.Exists(door) && (await File.ReadAllLinesAsync(door)).Length >= 2);
        var lines = await File.ReadAllLinesAsync(door);
        var browser = new Chromium(process, folder);
        await browser._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{lines[0]}{lines[1]}"), CancellationToken.None);
        browser._listening = browser.ListenAsync();
        return browser;
    }

    /// <summary>A new page in a context of its own: nothing is shared with other pages.</summary>
    /// <param name="script">Whether JavaScript runs.</param>
    /// <param name="scheme">light or dark.</param>
    /// <param name="width">Of the window, in CSS pixels.</param>
    /// <param name="height">Of the window, in CSS pixels.</param>
    public async Task<BrowserPage> OpenAsync(bool script = true, string scheme = "light", int width = 1280, int height = 900)
    {
        var context = (await SendAsync("Target.createBrowserContext", []))["browserContextId"]!.GetValue<string>();
        var target = (await SendAsync("Target.createTarget", new() { ["url"] = "about:blank", ["browserContextId"] = context }))["targetId"]!.GetValue<string>();
        var session = (await SendAsync("Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true }))["sessionId"]!.GetValue<string>();
        var page = new BrowserPage(this, session);
        _sessions[session] = page.Hear;
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" }) await SendAsync($"{domain}.enable", [], session);
        await SendAsync("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = false }, session);
        await SendAsync("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) }, session);
        if (!script) await SendAsync("Emulation.setScriptExecutionDisabled", new() { ["value"] = true }, session);
        return page;
    }

    /// <summary>One command of the protocol.</summary>
    public async Task<JsonObject> SendAsync(string method, JsonObject parameters, string? session = null)
    {
        var id = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers[id] = answer;
        var command = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null) command["sessionId"] = session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(command.ToJsonString()), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _listening;
        _socket.Dispose();
        await _process.DisposeAsync();
        _end.Dispose();
        _sending.Dispose();
        // Its children may write for a moment longer.
        for (var attempt = 0; attempt < 20 && Directory.Exists(_folder); attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException)
            {
                await Task.Delay(100);
            }
        }
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), _end.Token);
                    message.Write(buffer, 0, part.Count);
                } while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close) return;
                Take(JsonNode.Parse(message.ToArray())!.AsObject());
            }
        }
        catch (Exception error) when (error is OperationCanceledException or WebSocketException)
        {
            foreach (var answer in _answers.Values) answer.TrySetException(new InvalidOperationException("Chromium went away.", error));
        }
    }

    private void Take(JsonObject message)
    {
        if (message["id"]?.GetValue<int>() is { } id && _answers.TryRemove(id, out var answer))
        {
            if (message["error"] is { } error) answer.TrySetException(new InvalidOperationException(error.ToJsonString()));
            else answer.TrySetResult(message["result"]!.AsObject());
        }
        else if (message["sessionId"]?.GetValue<string>() is { } session && _sessions.TryGetValue(session, out var hear))
        {
            hear(message["method"]!.GetValue<string>(), message["params"]!.AsObject());
        }
    }
}

/// <summary>One page of the browser.</summary>
internal sealed class BrowserPage(Chromium browser, string session)
{
    private readonly ConcurrentQueue<string> _problems = new();
    private TaskCompletionSource _loaded = new();

    /// <summary>Errors and warnings of its console, violations of its policy and unhandled exceptions.</summary>
    public string[] Problems => [.. _problems];

    /// <summary>Goes to an address and waits for the page to be loaded.</summary>
    public async Task GoAsync(Uri address)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync("Page.navigate", new() { ["url"] = address.AbsoluteUri });
        await _loaded.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Does something that leaves for another page, and waits for that.</summary>
    public async Task LeaveByAsync(string script)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await RunAsync(script);
        await _loaded.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>The value of an expression.</summary>
    public async Task<T> ValueAsync<T>(string expression) => (await EvaluateAsync(expression))["value"]!.GetValue<T>();

    /// <summary>The strings of an expression that is an array.</summary>
    public async Task<string[]> ValuesAsync(string expression) => [.. (await EvaluateAsync(expression))["value"]!.AsArray().Select(item => item!.GetValue<string>())];

    /// <summary>Runs a statement.</summary>
    public Task RunAsync(string script) => EvaluateAsync(script);

    /// <summary>Waits until the expression is true.</summary>
    public Task UntilAsync(string expression) => Eventually.HoldsAsync(() => ValueAsync<bool>($"!!({expression})"), TimeSpan.FromSeconds(30),
        () => $"Never true: {expression}. {string.Join(Environment.NewLine, Problems)}");

    /// <summary>Types into what has the focus, as a keyboard would.</summary>
    public Task TypeAsync(string text) => SendAsync("Input.insertText", new() { ["text"] = text });

    /// <summary>Presses a key.</summary>
    public async Task PressAsync(string key, int code)
    {
        foreach (var type in new[] { "rawKeyDown", "keyUp" })
            await SendAsync("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>What a person sees of it, as PNG.</summary>
    public async Task<byte[]> ScreenshotAsync() =>
        Convert.FromBase64String((await SendAsync("Page.captureScreenshot", new() { ["format"] = "png" }))["data"]!.GetValue<string>());

    internal void Hear(string method, JsonObject told)
    {
        switch (method)
        {
            case "Page.loadEventFired":
                _loaded.TrySetResult();
                break;
            case "Runtime.exceptionThrown":
                _problems.Enqueue(told["exceptionDetails"]!.ToJsonString());
                break;
            case "Log.entryAdded" when told["entry"]!["level"]!.GetValue<string>() is "error" or "warning":
                _problems.Enqueue(told["entry"]!["text"]!.GetValue<string>());
                break;
            case "Runtime.consoleAPICalled":
                _problems.Enqueue(told["args"]!.ToJsonString());
                break;
        }
    }

    private async Task<JsonObject> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.True(answer["exceptionDetails"] is null, string.Create(CultureInfo.InvariantCulture, $"{expression}: {answer["exceptionDetails"]?.ToJsonString()}"));
        return answer["result"]!.AsObject();
    }

    private Task<JsonObject> SendAsync(string method, JsonObject parameters) => browser.SendAsync(method, parameters, session);
}
