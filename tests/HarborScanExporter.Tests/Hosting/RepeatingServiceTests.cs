using HarborScanExporter.Hosting;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Hosting;

/// <summary>No part in the background ends before the exporter does, and none ends it without a word.</summary>
public sealed class RepeatingServiceTests
{
    [Fact]
    public async Task What_a_round_does_not_expect_is_said_once_waited_out_ever_longer_and_said_to_be_over()
    {
        var time = new FakeTimeProvider();
        var logger = new FakeLogger<RepeatingService>();
        var rounds = 0;
        var idle = new TaskCompletionSource();
        using var service = new RepeatingService("The part", async token =>
        {
            rounds++;
            if (rounds <= 10) throw new InvalidOperationException("of no known kind");
            await (rounds == 11 ? idle.Task.WaitAsync(token) : Task.Delay(Timeout.Infinite, token));
        }, time, logger);
        await service.StartAsync(TestContext.Current.CancellationToken);
        List<double> pauses = [];
        for (var round = 1; round <= 10; round++)
        {
            await Eventually.HoldsAsync(() => Task.FromResult(rounds == round), TimeSpan.FromSeconds(30), () => $"{rounds} rounds");
            // A round that is not told to wait would be the next one already, without the clock.
            var waited = 0;
            await Eventually.HoldsAsync(
                () =>
                {
                    if (rounds > round) return Task.FromResult(true);
                    waited++;
                    time.Advance(TimeSpan.FromSeconds(1));
                    return Task.FromResult(false);
                },
                TimeSpan.FromSeconds(30), () => $"{rounds} rounds after {waited} s");
            pauses.Add(waited);
        }
        idle.SetResult();
        await Eventually.HoldsAsync(() => Task.FromResult(logger.Collector.Count == 2), TimeSpan.FromSeconds(30), () => $"{logger.Collector.Count} lines");
        await service.StopAsync(TestContext.Current.CancellationToken);

        Assert.True(service.ExecuteTask!.IsCompletedSuccessfully);
        // At least 1, 2, 4 ... and then a minute; the loop may take a second of the clock to notice.
        Assert.All(pauses.Zip([1.0, 2, 4, 8, 16, 32, 60, 60, 60, 60]), pair => Assert.True(pair.First >= pair.Second, $"waited {pair.First} s instead of {pair.Second} s"));
        Assert.Equal(
            [
                (LogLevel.Error, "The part failed for a reason that is not known. It is tried again, at least every minute; the same failure is said once.", "of no known kind"),
                (LogLevel.Information, "The part works again.", null),
            ],
            logger.Collector.GetSnapshot().Select(line => (line.Level, line.Message, line.Exception?.Message)));
    }

    [Fact]
    public async Task A_round_that_fails_because_it_is_told_to_stop_is_no_failure_and_the_end_is_done_once()
    {
        var logger = new FakeLogger<RepeatingService>();
        var (begun, ends) = (new TaskCompletionSource(), 0);
        using var service = new RepeatingService("The part", async token =>
        {
            begun.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            catch (OperationCanceledException)
            {
                throw new InvalidOperationException("while stopping");
            }
        }, TimeProvider.System, logger, () => ends++);
        await service.StartAsync(TestContext.Current.CancellationToken);
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);
        await service.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(service.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Equal((0, 1), (logger.Collector.Count, ends));
    }

    [Fact]
    public async Task Every_part_that_works_in_the_background_repeats_in_this_way()
    {
        await using var repairs = await OperatedRepairs.StartAsync(null, (Setting.Names.ReconciliationInterval, "6h"));
        BackgroundService[] parts = [.. repairs.Exporter.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
        Assert.Equal(
            ["The reconciliation", "The look at whether repairs held", "The end of open intents", "The repair for alerts"],
            parts.Select(part => Assert.IsType<RepeatingService>(part).Part));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_part_that_breaks_all_the_same_ends_the_exporter_with_a_word_and_another_code_than_a_stop(bool onceStarted)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var settings = SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        var logs = new FakeLogCollector();
        await using (var app = Exporter.Build(settings, builder =>
        {
            builder.Logging.AddProvider(new FakeLoggerProvider(logs));
            builder.Services.AddSingleton<IHostedService>(provider => new Broken(onceStarted ? provider.GetRequiredService<IHostApplicationLifetime>() : null));
        }))
        {
            Assert.Equal(1, await Exporter.RunAsync(app, settings, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        }
        var told = Assert.Single(logs.GetSnapshot(), line => line.Level == LogLevel.Critical);
        Assert.Equal("broken for good", told.Exception!.Message);

        await using var stopped = Exporter.Build(settings);
        using var stop = new CancellationTokenSource();
        var running = Exporter.RunAsync(stopped, settings, stop.Token);
        await Eventually.HoldsAsync(() => Task.FromResult(stopped.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested),
            TimeSpan.FromSeconds(60), () => "It did not start.");
        await stop.CancelAsync();
        Assert.Equal(0, await running);
    }

    private sealed class Broken(IHostApplicationLifetime? after) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (after is null) started.SetResult();
            else after.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            throw new InvalidOperationException("broken for good");
        }
    }
}
