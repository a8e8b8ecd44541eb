using System.Net.Sockets;
using HarborScanExporter.Database;
using HarborScanExporter.Operations;
using HarborScanExporter.Scraping;
using HarborScanExporter.Settings;

namespace HarborScanExporter;

/// <summary>The web application: what is in it and which routes it answers.</summary>
internal static partial class Exporter
{
    /// <summary>Builds the application; it reads no configuration but <paramref name="settings"/>.</summary>
    public static WebApplication Build(ExporterSettings settings, Action<WebApplicationBuilder>? change = null)
    {
        // An empty builder: neither ASPNETCORE_* variables nor an appsettings.json in the working folder change what this program does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // In this order: RunAsync tells by it which address could not be listened on.
            Listener.Metrics.Bind(kestrel, settings.Listen);
            if (settings.Operations is { } operations) Listener.Operations.Bind(kestrel, operations.Listen);
        });
        builder.Services.AddRoutingCore();
        AddLogging(builder.Logging);
        builder.Services.AddLooking(settings, TimeProvider.System).AddRemembering(settings);
        builder.Services.AddRepairing(settings).AddRepairLoops(settings);
        builder.Services.AddSingleton<MetricsEndpoint>();
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

    /// <summary>Serves until it is stopped; 0 then, and 2 when the address cannot be listened on.</summary>
    public static async Task<int> RunAsync(WebApplication app, ExporterSettings settings, CancellationToken cancellationToken)
    {
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
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    private static void Map(WebApplication app, ExporterSettings settings)
    {
        if (app.Services.GetService<OperationsListener>() is { } operations) app.Use((context, next) => operations.ServeAsync(context, next));
        string[] reading = [HttpMethods.Get, HttpMethods.Head];
        var page = LandingPage.Html(settings);
        var metrics = app.Services.GetRequiredService<MetricsEndpoint>();
        var database = app.Services.GetRequiredService<HarborDatabase>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.MapMethods("/metrics", reading, metrics.ServeAsync);
        app.MapMethods("/healthz", reading, HealthEndpoints.Healthz);
        app.MapMethods("/readyz", reading, (RequestDelegate)(context => HealthEndpoints.ReadyzAsync(context, database, time)));
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
        // The host repeats with a stack trace what RunAsync says in a sentence, and Npgsql what FailureLog says once.
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None).AddFilter("Npgsql", LogLevel.None);
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

    [LoggerMessage(11, LogLevel.Information, "Ignored variables that Kubernetes wrote for services: {Names}. Set enableServiceLinks: false to be rid of them.")]
    private static partial void LogServiceLinks(ILogger logger, string names);
}
