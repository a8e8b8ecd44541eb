using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace HarborSimulator.Api;

/// <summary>
/// Core's API v2.0 over a simulation. The simulation takes one caller at a time: whoever uses it while this server runs does so by
/// <see cref="RunAsync(Func{HarborSimulation, Task}, CancellationToken)"/>.
/// </summary>
public sealed class HarborApiServer : IAsyncDisposable
{
    private readonly HarborSimulation _harbor;
    private readonly ApiRoutes _routes;
    private readonly WebApplication _app;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentQueue<HarborApiRequest> _requests = [];
    private readonly ConcurrentQueue<ApiTrouble> _troubles = [];

    private HarborApiServer(HarborSimulation harbor, HarborApiSettings settings)
    {
        _harbor = harbor;
        _routes = new ApiRoutes(harbor, settings.Users);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (settings.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(server => server.Listen(System.Net.IPAddress.Parse(settings.Listen.Host.Trim('[', ']')), settings.Listen.Port, listen =>
        {
            if (settings.Certificate is { } certificate) listen.UseHttps(certificate);
        }));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>What was received so far, oldest first.</summary>
    public IReadOnlyList<HarborApiRequest> Requests => [.. _requests];

    /// <summary>Forgets what was received.</summary>
    public void ForgetRequests() => _requests.Clear();

    /// <summary>How long every answer is held up, before Harbor acts.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Starts to serve.</summary>
    public static async Task<HarborApiServer> StartAsync(HarborSimulation harbor, HarborApiSettings? settings = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(harbor);
        var server = new HarborApiServer(harbor, settings ?? new HarborApiSettings());
        await server._app.StartAsync(cancellationToken);
        return server;
    }

    /// <summary>Uses the simulation while no request does.</summary>
    public async Task<T> RunAsync<T>(Func<HarborSimulation, Task<T>> use, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(use);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await use(_harbor);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Uses the simulation while no request does.</summary>
    public Task RunAsync(Func<HarborSimulation, Task> use, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(use);
        return RunAsync(async harbor =>
        {
            await use(harbor);
            return true;
        }, cancellationToken);
    }

    /// <summary>A proxy answers the next requests instead of Harbor, before or after Harbor acts.</summary>
    public void FailNext(int requests, int status, bool afterActing = false)
    {
        for (var i = 0; i < requests; i++) _troubles.Enqueue(new ApiTrouble(status, afterActing));
    }

    /// <summary>The connections of the next requests break, before or after Harbor acts.</summary>
    public void DropNext(int requests, bool afterActing)
    {
        for (var i = 0; i < requests; i++) _troubles.Enqueue(new ApiTrouble(null, afterActing));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _turn.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var call = await ApiCall.ReadAsync(context);
        _requests.Enqueue(new HarborApiRequest(call.Method, call.RawPath, call.Name));
        if (Delay > TimeSpan.Zero) await Task.Delay(Delay, TimeProvider.System, context.RequestAborted);
        _troubles.TryDequeue(out var trouble);
        // Once Harbor has begun, it acts to the end whether or not somebody still waits.
        var reply = trouble is { AfterActing: false } ? null : await RunAsync(_ => _routes.AnswerAsync(call, CancellationToken.None), CancellationToken.None);
        if (trouble is { Status: null })
        {
            context.Abort();
            return;
        }
        if (trouble is { Status: { } status }) reply = ApiReply.OfProxy(status);
        context.Response.StatusCode = reply!.Status;
        // Harbor opens a session for everybody who signs in, whether asked to or not.
        if (_routes.UserOf(call) is not null) context.Response.Cookies.Append(ApiCall.SessionCookie, "0123456789abcdef", new CookieOptions { HttpOnly = true, Path = "/" });
        if (reply.Body.Length == 0) return;
        context.Response.ContentType = reply.Type;
        await context.Response.WriteAsync(reply.Body, context.RequestAborted);
    }
}
