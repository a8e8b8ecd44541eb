using System.Globalization;
using HarborSimulator.Jobs;
using HarborSimulator.Schema;
using HarborSimulator.Storage;

namespace HarborSimulator.Core;

/// <summary>Scans of one artifact, SBOMs and scan-alls: what refuses them, what they write, and what the scanner answers.</summary>
internal sealed class Scans(SqlBatch sql, Timeline timeline, Random random, HarborCore core, Registry registry, JobService jobs, HarborRelease release, SimulationSettings settings)
{
    private const string ReportType = "application/vnd.security.vulnerability.report; version=1.1";
    private const string SbomType = "application/vnd.security.sbom.report+json; version=1.0";
    private const string SpdxType = "application/spdx+json";
    private const string Scanner = $$"""{"name":"{{Registry.ScannerName}}","vendor":"Aqua Security","version":"v0.50"}""";
    private const int Step = 50;

    /// <summary>The newest report of a digest (of an artifact for SBOM) and the task that lists it.</summary>
    private readonly Dictionary<string, (string Uuid, long TaskId)> _owners = new(StringComparer.Ordinal);
    /// <summary>The tasks that name a report.</summary>
    private readonly Dictionary<string, List<HarborTask>> _namedBy = new(StringComparer.Ordinal);
    private readonly HashSet<long> _stoppedScanAlls = [];
    private int _hangNext;

    /// <summary>The next scans that start will never get an answer.</summary>
    public void HangNext(int scans) => _hangNext += scans;

    public void StopEnumerating(long executionId) => _stoppedScanAlls.Add(executionId);

    public async Task<ScanResponse> ScanAsync(HarborArtifact artifact, string vendorType, CancellationToken cancellationToken)
    {
        if (core.IsDown) return new ScanResponse(null, [], "core is down");
        var busy = await ConflictsAsync(artifact.Scannable, vendorType, cancellationToken);
        var free = artifact.Scannable.Where(part => !busy.ContainsKey(part.Id)).ToList();
        if (free.Count == 0)
        {
            return new ScanResponse(null, [], vendorType == VendorType.Sbom
                ? "a previous sbom generate process is running"
                : $"a previous scan process is {busy.Values.First()}");
        }
        if (!jobs.IsUp) return new ScanResponse(null, [], "the job service is down");
        var execution = await core.CreateExecutionAsync(
            vendorType, release.VendorIdIsArtifact ? artifact.Id : registry.ScannerId, "MANUAL", ExecutionAttributes(artifact, vendorType), cancellationToken);
        List<long> tasks = [];
        foreach (var part in free) tasks.Add(await LaunchAsync(execution, part, vendorType, vendorType, cancellationToken));
        return new ScanResponse(execution, tasks, null);
    }

    /// <summary>Starts a scan-all; core walks the artifacts afterwards, 50 at a time.</summary>
    public async Task<ScanResponse> ScanAllAsync(string trigger, CancellationToken cancellationToken)
    {
        if (core.IsDown) return new ScanResponse(null, [], "core is down");
        if (trigger == "MANUAL")
        {
            var newest = await sql.QueryAsync(
                "select coalesce(status, '') from execution where vendor_type = 'SCAN_ALL' and trigger = 'MANUAL' order by start_time desc, id desc limit 1",
                row => row.GetString(0), cancellationToken);
            if (newest is ["Running"]) return new ScanResponse(null, [], "a previous scan all job aleady exits, its status is Running");
        }
        var attributes = release.NamesOperator ? $$"""{"operator":"{{(trigger == "MANUAL" ? "admin" : "harbor-jobservice")}}"}""" : "{}";
        var execution = await core.CreateExecutionAsync(VendorType.ScanAll, 0, trigger, attributes, cancellationToken);
        var walk = new Walk(execution, attributes, core.Generation, [.. registry.Roots]);
        timeline.In(TimeSpan.FromMilliseconds(1500), token => StepAsync(walk, token));
        return new ScanResponse(execution, [], null);
    }

    private async Task StepAsync(Walk walk, CancellationToken cancellationToken)
    {
        if (core.Generation != walk.Generation) return;
        var stopped = release.ScanAllStopsEnumerating && _stoppedScanAlls.Contains(walk.ExecutionId);
        if (walk.Next < walk.Roots.Count && !stopped)
        {
            var step = walk.Roots.Skip(walk.Next).Take(Step).ToList();
            walk.Next += step.Count;
            var busy = await ConflictsAsync([.. step.SelectMany(root => root.Scannable)], VendorType.ImageScan, cancellationToken);
            foreach (var root in step)
            {
                var free = root.Scannable.Where(part => !busy.ContainsKey(part.Id)).ToList();
                walk.Total++;
                if (free.Count == 0) walk.Conflicts++;
                else if (!jobs.IsUp) walk.Unknown++;
                else walk.Submitted++;
                if (!jobs.IsUp) continue;
                foreach (var part in free)
                {
                    // The same digest may come twice in one step: the second one finds the first one's report.
                    if (_launchedIn.Add((walk.ExecutionId, part.Digest))) await LaunchAsync(walk.ExecutionId, part, VendorType.ScanAll, VendorType.ImageScan, cancellationToken);
                }
            }
            timeline.In(TimeSpan.FromMilliseconds(random.Next(1500, 3000)), token => StepAsync(walk, token));
            return;
        }
        _launchedIn.RemoveWhere(launched => launched.ExecutionId == walk.ExecutionId);
        var summary = string.Create(CultureInfo.InvariantCulture,
            $$"""{"total_count":{{walk.Total}},"submit_count":{{walk.Submitted}},"conflict_count":{{walk.Conflicts}},"precondition_count":0,"unsupport_count":0,"unknow_count":{{walk.Unknown}}}""");
        var attributes = release.MergesSummary && walk.Attributes != "{}" ? $$"""{{walk.Attributes[..^1]}},"summary":{{summary}}}""" : $$"""{"summary":{{summary}}}""";
        await sql.AddAsync("update execution set extra_attrs = $2::text::json, update_time = $3 where id = $1", cancellationToken, walk.ExecutionId, attributes, timeline.Micro);
        if (walk.Submitted > 0) return;
        await sql.AddAsync("update execution set status = $2, status_message = $3, update_time = $4, end_time = $4 where id = $1", cancellationToken, walk.ExecutionId,
            walk.Unknown > 0 ? HarborStatus.Error : HarborStatus.Success,
            string.Create(CultureInfo.InvariantCulture, $"{walk.Conflicts} artifact(s) have a previous ongoing scan process, but no scan job submitted"), timeline.Micro);
    }

    private readonly HashSet<(long ExecutionId, string Digest)> _launchedIn = [];

    /// <summary>The artifacts that Harbor refuses: the task that lists their report has an open status word. Only the word counts.</summary>
    private async Task<Dictionary<long, string>> ConflictsAsync(IReadOnlyList<HarborArtifact> parts, string vendorType, CancellationToken cancellationToken)
    {
        var owned = parts.Select(part => (Part: part, Known: _owners.TryGetValue(KeyOf(part, vendorType), out var owner), Owner: owner)).Where(part => part.Known).ToList();
        if (owned.Count == 0) return [];
        var table = vendorType == VendorType.Sbom ? "sbom_report" : "scan_report";
        var open = (await sql.QueryAsync($"""
            select r.uuid, t.status from unnest($1::text[], $2::bigint[]) as owner (uuid, task_id)
            join {table} r on r.uuid = owner.uuid join task t on t.id = owner.task_id
            where t.status in ('Pending', 'Scheduled', 'Running')
            """, row => (Uuid: row.GetString(0), Status: row.GetString(1)), cancellationToken,
            owned.Select(part => part.Owner.Uuid).ToArray(), owned.Select(part => part.Owner.TaskId).ToArray())).ToDictionary(row => row.Uuid, row => row.Status, StringComparer.Ordinal);
        return owned.Where(part => open.ContainsKey(part.Owner.Uuid)).ToDictionary(part => part.Part.Id, part => open[part.Owner.Uuid]);
    }

    /// <summary>Report, robot, task, job.</summary>
    private async Task<long> LaunchAsync(long execution, HarborArtifact part, string vendorType, string capability, CancellationToken cancellationToken)
    {
        var isSbom = capability == VendorType.Sbom;
        var isKept = _owners.TryGetValue(KeyOf(part, capability), out var kept) && settings.KeepsReports;
        var uuid = isKept ? kept.Uuid : core.NewUuid();
        if (!isKept && isSbom)
        {
            await sql.AddAsync("delete from sbom_report where artifact_id = $1 and registration_uuid = $2", cancellationToken, part.Id, registry.ScannerUuid);
            await sql.AddAsync("insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type) values ($1, $2, $3, $4, $5)",
                cancellationToken, uuid, part.Id, registry.ScannerUuid, SbomType, SpdxType);
        }
        else if (!isKept)
        {
            await sql.AddAsync("delete from scan_report where digest = $1 and registration_uuid = $2", cancellationToken, part.Digest, registry.ScannerUuid);
            await sql.AddAsync("insert into scan_report (uuid, digest, registration_uuid, mime_type) values ($1, $2, $3, $4)",
                cancellationToken, uuid, part.Digest, registry.ScannerUuid, ReportType);
        }
        var robot = await registry.CreateRobotAsync(part, isSbom, cancellationToken);
        var jobId = core.NewJobId();
        var robotId = robot.ToString(CultureInfo.InvariantCulture);
        var artifactId = part.Id.ToString(CultureInfo.InvariantCulture);
        var attributes = string.Concat($$"""{"artifact_id":{{artifactId}}""",
            release.HasArtifactTag ? $$""","artifact_tag":{{HarborCore.Json(part.Tag)}}""" : "",
            release.HasReportKeys ? $$""","report:{{uuid}}":"1" """.TrimEnd() : "",
            $$""","report_uuids":["{{uuid}}"],"robot_id":{{robotId}}}""");
        var template = new HarborTask { Id = 0, ExecutionId = execution, VendorType = vendorType, JobId = jobId, Artifact = part, RobotId = robot, Reports = [uuid] };
        var task = await core.CreateTaskAsync(execution, vendorType, jobId, attributes, template, cancellationToken);
        task.Created = timeline.Now;
        _owners[KeyOf(part, capability)] = (uuid, task.Id);
        if (!_namedBy.TryGetValue(uuid, out var naming)) _namedBy[uuid] = naming = [];
        naming.Add(task);
        await jobs.SubmitAsync(jobId, ArgumentsOf(part, isSbom), new Work(VendorType.ImageScan, task.Id, Duration, token => EndAsync(task, isSbom, token)));
        return task.Id;
    }

    private TimeSpan? Duration()
    {
        if (_hangNext > 0)
        {
            _hangNext--;
            return null;
        }
        return settings.MeanScan * (1.0 / 3 + random.NextDouble() * random.NextDouble() * 8.0 / 3) + TimeSpan.FromMicroseconds(random.Next(1_000_000));
    }

    private async Task<string> EndAsync(HarborTask task, bool isSbom, CancellationToken cancellationToken)
    {
        // Without its robot a scan cannot pull the image; what was converted into tables of its own is there once only (harbor-facts 0.2).
        if (task.RobotIsGone || (task.HasFinished && !isSbom) || random.NextDouble() < settings.ErrorShare) return HarborStatus.Error;
        await StoreAsync(task, isSbom, cancellationToken);
        return HarborStatus.Success;
    }

    /// <summary>The result goes into the report that is found by digest and scanner, whichever scan placed it.</summary>
    public async Task StoreAsync(HarborTask task, bool isSbom, CancellationToken cancellationToken)
    {
        if (task.Artifact is not { } part) return;
        task.HasFinished = true;
        foreach (var naming in _namedBy[_owners[KeyOf(part, isSbom ? VendorType.Sbom : task.VendorType)].Uuid]) naming.IsStored = true;
        var ended = timeline.Now - TimeSpan.FromMilliseconds(random.Next(1000, 3000));
        if (ended < task.Created) ended = timeline.Now;
        if (isSbom)
        {
            var times = settings.ReportsTellTime ? $$""","duration":6,"end_time":"{{TimeOf(ended)}}","start_time":"{{TimeOf(ended - TimeSpan.FromSeconds(6))}}" """.TrimEnd() : "";
            await sql.AddAsync("update sbom_report set report = $3::text::json where artifact_id = $1 and registration_uuid = $2", cancellationToken,
                part.Id, registry.ScannerUuid,
                $$"""{"sbom_digest":"sha256:{{core.Hex(64)}}","sbom_repository":{{HarborCore.Json(part.Repository)}},"scan_status":"Success","scanner":{{Scanner}}{{times}}}""");
            return;
        }
        var high = random.Next(12);
        var time = settings.ReportsTellTime ? $$""" "generated_at":"{{TimeOf(ended)}}",""".TrimStart() : "";
        var report = $$"""{{{time}}"scanner":{{Scanner}},"severity":"{{(high > 0 ? "High" : "Low")}}","vulnerabilities":null}""";
        var counts = release.SchemaVersion >= 120
            ? $", critical_cnt = 0, high_cnt = {high.ToString(CultureInfo.InvariantCulture)}, medium_cnt = 3, low_cnt = 5, none_cnt = 0, unknown_cnt = 0, fixable_cnt = 2"
            : "";
        await sql.AddAsync($"update scan_report set report = $3::text::json{counts} where digest = $1 and registration_uuid = $2", cancellationToken,
            part.Digest, registry.ScannerUuid, report);
    }

    /// <summary>The adapter's clock in its own zone, as Go writes it.</summary>
    private string TimeOf(DateTime utc) => new DateTimeOffset(utc, TimeSpan.Zero).ToOffset(TimeSpan.FromMinutes(settings.Seed % 3 * 150 - 150))
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", CultureInfo.InvariantCulture).Replace("+00:00", "Z", StringComparison.Ordinal);

    private static string KeyOf(HarborArtifact part, string vendorType) =>
        vendorType == VendorType.Sbom ? string.Create(CultureInfo.InvariantCulture, $"sbom:{part.Id}") : part.Digest;

    private string ExecutionAttributes(HarborArtifact artifact, string vendorType)
    {
        var capability = release.NamesCapability ? $$""","enabled_capabilities":{"type":"{{(vendorType == VendorType.Sbom ? "sbom" : "vulnerability")}}"}""" : "";
        var actor = release.NamesOperator ? ""","operator":"admin" """.TrimEnd() : "";
        return string.Create(CultureInfo.InvariantCulture,
            $$$"""{"artifact":{"digest":"{{{artifact.Digest}}}","id":{{{artifact.Id}}},"project_id":{{{artifact.ProjectId}}},"repository_name":{{{HarborCore.Json(artifact.Repository)}}}}{{{capability}}}{{{actor}}},"registration":{"id":{{{registry.ScannerId}}},"name":"{{{Registry.ScannerName}}}"}}""");
    }

    /// <summary>The arguments of a scan job. They carry the robot's secret in the clear, as Harbor's do.</summary>
    private string ArgumentsOf(HarborArtifact part, bool isSbom)
    {
        var registration = $$"""{"uuid":"{{registry.ScannerUuid}}","name":"{{Registry.ScannerName}}","url":"http://trivy-adapter:8080"}""";
        var request = $$$"""{"registry":{"url":"http://core:8080","authorization":""},"artifact":{"repository":{{{HarborCore.Json(part.Repository)}}},"digest":"{{{part.Digest}}}","tag":{{{HarborCore.Json(part.Tag)}}}}}""";
        var robot = $$"""{"name":"robot${{part.Project}}+scan","secret":"{{core.Hex(32)}}"}""";
        return $$"""{"registration":{{HarborCore.Json(registration)}},"scanRequest":{{HarborCore.Json(request)}},"mimeTypes":["{{(isSbom ? SbomType : ReportType)}}"],"authType":"Basic","robotAccount":{{HarborCore.Json(robot)}}}""";
    }

    /// <summary>A scan-all on its way through the artifacts.</summary>
    private sealed class Walk(long executionId, string attributes, int generation, IReadOnlyList<HarborArtifact> roots)
    {
        public long ExecutionId => executionId;
        public string Attributes => attributes;
        public int Generation => generation;
        public IReadOnlyList<HarborArtifact> Roots => roots;
        public int Next { get; set; }
        public int Total { get; set; }
        public int Submitted { get; set; }
        public int Conflicts { get; set; }
        public int Unknown { get; set; }
    }
}
