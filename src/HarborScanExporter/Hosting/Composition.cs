using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Failures;
using HarborScanExporter.Findings;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Http;
using HarborScanExporter.Http.StatusPage;
using HarborScanExporter.JobService;
using HarborScanExporter.Metrics;
using HarborScanExporter.Observation;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Remediation.Presentation;
using HarborScanExporter.Remediation.Triggers;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Settings;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Hosting;

/// <summary>What a look at Harbor is made of; the server and the command <c>check</c> look with the same pieces.</summary>
internal static class Composition
{
    /// <summary>Adds the sources of the settings and everything up to the findings.</summary>
    public static IServiceCollection AddLooking(this IServiceCollection services, ExporterSettings settings, TimeProvider time)
    {
        services.AddSingleton(time);
        services.AddSingleton(settings);
        services.AddHostedService<SecretFileLog>();
        services.AddSingleton(_ => new HarborDatabase(settings.Database, settings.ScrapeTimeout));
        services.AddSingleton<OperationsDatabase>();
        services.AddSingleton<Readiness>();
        if (settings.JobService is { } jobService)
        {
            services.AddSingleton(_ => new RedisConnection(jobService));
            services.AddSingleton(provider => new EvidenceReader(provider.GetRequiredService<RedisConnection>(), jobService.Namespace));
        }
        if (settings.Api is { } api) services.AddSingleton(provider => new SystemInfoClient(api, time) { Told = Telling(provider.GetRequiredService<FailureLog>()) });
        services.AddSingleton<ObservationMemory>();
        services.AddSingleton<StuckLog>();
        services.AddSingleton<VerdictSightings>();
        services.AddSingleton<ObservationCounts>();
        services.AddSingleton<ObservationLog>();
        services.AddSingleton<ProcessUse>();
        services.AddSingleton<FailureLog>();
        services.AddSingleton<Observer>();
        services.AddSingleton<ObservationGate>();
        services.AddSingleton<FindingsReader>();
        services.AddSingleton<RemediationCounters>();
        return services;
    }

    /// <summary>Without Harbor's API a collection goes on, but not in silence.</summary>
    private static Action<ApiUnusableException?> Telling(FailureLog log) => error =>
    {
        const string part = "Harbor's API";
        if (error is null) log.Succeeded(part);
        else log.Failed(part, error.Trouble.Reason, error);
    };

    /// <summary>Adds what is remembered from scrape to scrape, and the reads of the whole tables that correct it.</summary>
    public static void AddRemembering(this IServiceCollection services, ExporterSettings settings)
    {
        if (settings.ReconciliationInterval == TimeSpan.Zero) return;
        services.AddSingleton(_ => new ReconciliationDatabase(new HarborDatabase(settings.Database, settings.ReconciliationTimeout, connections: 1)));
        services.AddSingleton<ScanCounters>();
        services.AddSingleton<IScanTransitions>(provider => provider.GetRequiredService<ScanCounters>());
        services.AddSingleton<ActiveRows>();
        services.AddSingleton<Reconciliation>();
        services.AddRepeating<Reconciliation>("The reconciliation", reconciliation => reconciliation.RoundAsync);
    }

    /// <summary>Adds what repairs; the server and the command <c>repair</c> repair with the same pieces.</summary>
    public static IServiceCollection AddRepairing(this IServiceCollection services, ExporterSettings settings)
    {
        services.AddSingleton(_ => new RepairDatabase(settings.Database, settings.Remediation));
        services.AddSingleton(_ => new PauseFile(settings.Remediation.PauseFile));
        if (settings.Api is { } api)
        {
            services.AddSingleton(provider => new HarborApiClient(api, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<ApiActs>();
            services.AddSingleton<Act>(provider => provider.GetRequiredService<ApiActs>().DoAsync);
        }
        services.AddSingleton<LookReader>();
        services.AddSingleton<SweepReader>();
        services.AddSingleton<RepairRun>();
        services.AddSingleton<Undoing>();
        services.AddSingleton<RepairVerification>();
        services.AddSingleton<RemediationState>();
        services.AddSingleton<RepairPreviewReader>();
        return services;
    }

    /// <summary>Adds what goes on in the background while repairs are not off.</summary>
    public static void AddRepairLoops(this IServiceCollection services, ExporterSettings settings)
    {
        if (settings.Remediation.Mode == RemediationMode.Off) return;
        services.AddSingleton<VerificationLoop>();
        services.AddRepeating<VerificationLoop>("The look at whether repairs held", loop => loop.RoundAsync);
        // A dry run leaves no intents, and nothing is written in its mode.
        if (settings.Remediation.Mode == RemediationMode.Execute)
        {
            services.AddSingleton<IntentLoop>();
            services.AddRepeating<IntentLoop>("The end of open intents", loop => loop.RoundAsync);
        }
        if (settings.Operations is null) return;
        services.AddSingleton<RepairLoop>();
        services.AddRepeating<RepairLoop>("The repair for alerts", loop => loop.RoundAsync, loop => loop.Close);
    }

    /// <summary>Lets a piece work in the background, round after round.</summary>
    private static void AddRepeating<T>(this IServiceCollection services, string part, Func<T, Func<CancellationToken, Task>> round, Func<T, Action>? end = null)
        where T : notnull =>
        // AddHostedService takes one of each type.
        services.AddSingleton<IHostedService>(provider => new RepeatingService(
            part, round(provider.GetRequiredService<T>()), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RepeatingService>>(),
            end?.Invoke(provider.GetRequiredService<T>())));

    /// <summary>Adds what the second listener serves.</summary>
    public static void AddOperations(this IServiceCollection services, OperationsSettings settings)
    {
        services.AddSingleton<Wakes>();
        services.AddSingleton<RequestRates>();
        services.AddSingleton<AlertsEndpoint>();
        services.AddSingleton<PlanEndpoint>();
        services.AddSingleton<RepairsEndpoint>();
        services.AddSingleton<HistoryEndpoint>();
        services.AddSingleton<UndoEndpoint>();
        services.AddSingleton(settings);
        services.AddSingleton<OperationsToken>();
        services.AddSingleton<FailedAttempts>();
        services.AddSingleton<OperationsAccess>();
        services.AddSingleton<FindingsGate>();
        services.AddSingleton<StatusGate>();
        services.AddSingleton<StatusEndpoint>();
        services.AddSingleton<FindingsEndpoint>();
        services.AddSingleton<OperationsListener>();
    }
}
