using System.Net.Sockets;
using System.Runtime.InteropServices;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace HarborScanExporter.Hosting;

/// <summary>The web application: what is in it and which routes it answers.</summary>
internal static partial class Exporter
{
    private const int PartBroke = 1;

    /// <summary>Builds the application; it reads no configuration but <paramref name="settings"/>.</summary>
    public static WebApplication Build(ExporterSettings settings, Action<WebApplicationBuilder>? change = null)
    {
        // An empty builder: neither ASPNETCORE_* variables nor an appsettings.json in the working folder change what this program does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        builder.Services.Configure<SocketTransportOptions>(ServerLimits.Set);
        builder.Services.AddRoutingCore();
        AddLogging(builder.Logging);
        builder.Services.AddLooking(settings, TimeProvider.System).AddRemembering(settings);
        builder.Services.AddRepairing(settings).AddRepairLoops(settings);
        builder.Services.AddSingleton<MetricsEndpoint>();
        builder.Services.AddSingleton<Readiness>();
        if (settings.Operations is { } listener) builder.Services.AddOperations(listener);
        change?.Invoke(builder);
        var app = builder.Build();
        Map(app, settings);
        return app;
    }

    /// <summary>Says once what runs and what was passed over.</summary>
    public static void TellStart(WebApplication app, ExporterSettings settings, IReadOnlyList<string> ignored)
    {
        LogStart(app.Logger, ProductVersion.Version, settings.Listen, settings.Database.Username, settings.Database.Host, settings.Database.Port, settings.Database.Name);
        if (settings.Operations is { } operations) LogOperations(app.Logger, operations.Listen);
        if (ignored.Count > 0) LogServiceLinks(app.Logger, string.Join(", ", ignored));
    }

    /// <summary>Serves until it is stopped; 0 then, 1 when a part in the background broke and ended it, and 2 when the address cannot be listened on.</summary>
    public static async Task<int> RunAsync(WebApplication app, ExporterSettings settings, CancellationToken cancellationToken)
    {
        // A terminal that closes, or a script that means "read your settings again", must not end it without a word.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            LogHangUp(app.Logger);
        });
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            // The first address is listened on before the second, and stands among the server's own once it is.
            var (setting, listen) = app.Urls.Count == 0 || settings.Operations is null
                ? (Setting.Names.Listen, settings.Listen)
                : (Setting.Names.OperationsListen, settings.Operations.Listen);
            LogCannotListen(app.Logger, setting, listen, error.GetBaseException().Message);
            return 2;
        }
        catch (OperationCanceledException) when (HasBrokenPart(app))
        {
            return PartBroke;
        }
        await app.WaitForShutdownAsync(cancellationToken);
        // The host ends the exporter when a part in the background breaks, and says so; whoever started it must not take that for a stop.
        return HasBrokenPart(app) ? PartBroke : 0;
    }

    private static bool HasBrokenPart(WebApplication app) =>
        app.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(part => part.ExecuteTask is { IsFaulted: true });

    private static void Listen(KestrelServerOptions kestrel, ExporterSettings settings)
    {
        kestrel.AddServerHeader = false;
        ServerLimits.Set(kestrel.Limits);
        var (ofMetrics, ofOperations) = ServerLimits.Connections(ServerLimits.MostFiles(), ServerLimits.OwnFiles);
        var time = kestrel.ApplicationServices.GetRequiredService<TimeProvider>();
        var logger = kestrel.ApplicationServices.GetRequiredService<ILogger<OpenConnections>>();
        // In this order: RunAsync tells by it which address could not be listened on.
        Listener.Metrics.Bind(kestrel, settings.Listen, new OpenConnections(ofMetrics, settings.Listen, time, logger).ServeAsync);
        if (settings.Operations is { } operations) Listener.Operations.Bind(kestrel, operations.Listen, new OpenConnections(ofOperations, operations.Listen, time, logger).ServeAsync);
    }

    private static void Map(WebApplication app, ExporterSettings settings)
    {
        app.Use(OpenConnection.FollowAsync);
        if (app.Services.GetService<OperationsListener>() is { } operations) app.Use((context, next) => operations.ServeAsync(context, next));
        string[] reading = [HttpMethods.Get, HttpMethods.Head];
        var page = LandingPage.Html(settings);
        var metrics = app.Services.GetRequiredService<MetricsEndpoint>();
        var readiness = app.Services.GetRequiredService<Readiness>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.MapMethods("/metrics", reading, metrics.ServeAsync);
        app.MapMethods("/healthz", reading, HealthEndpoints.Healthz);
        app.MapMethods("/readyz", reading, (RequestDelegate)(context => HealthEndpoints.ReadyzAsync(context, readiness, time)));
        app.MapMethods("/", reading, (RequestDelegate)(context =>
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return context.Response.WriteAsync(page, context.RequestAborted);
        }));
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        // Below a critical line the host repeats with a stack trace what RunAsync says in a sentence, and Npgsql what FailureLog says once.
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical).AddFilter("Npgsql", LogLevel.None);
        // A person at a terminal reads lines; everything else that takes this output reads JSON.
        if (Console.IsOutputRedirected)
            logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        else
            logging.AddLines();
    }

    [LoggerMessage(10, LogLevel.Information, "harbor-scan-exporter {Version} serves {Listen}/metrics and reads as {Username} from {Host}:{Port}/{Database}.")]
    private static partial void LogStart(ILogger logger, string version, string listen, string username, string host, int port, string database);

    [LoggerMessage(13, LogLevel.Information, "The status page is at {Listen}/ for whoever brings the token.")]
    private static partial void LogOperations(ILogger logger, string listen);

    [LoggerMessage(12, LogLevel.Critical, "{Setting}: cannot listen on {Listen}: {Message}. Choose another address or port, or stop what uses it.")]
    private static partial void LogCannotListen(ILogger logger, string setting, string listen, string message);

    [LoggerMessage(15, LogLevel.Information, "SIGHUP: nothing is to be done. Secrets are read again by themselves when their files change; other settings need a restart.")]
    private static partial void LogHangUp(ILogger logger);

    [LoggerMessage(11, LogLevel.Information, "Ignored variables that Kubernetes wrote for services: {Names}. Set enableServiceLinks: false to be rid of them.")]
    private static partial void LogServiceLinks(ILogger logger, string names);
}
