# The base images are arguments so that a mirror or a hardened image can take their place:
# the build image needs the .NET 10 SDK, clang and zlib's headers; the final image libc, libssl and certificates.
ARG BUILD_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0-noble-aot
ARG FINAL_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled

# Every platform is compiled under its own platform (no BUILDPLATFORM here): a native linker for another
# architecture would need that architecture's sysroot in the build image.
FROM ${BUILD_IMAGE} AS build
WORKDIR /source

# A layer of its own, so that a change of the code restores nothing again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/HarborScanExporter/HarborScanExporter.csproj src/HarborScanExporter/
RUN dotnet restore src/HarborScanExporter --use-current-runtime

# deploy/sql is part of the program: `harbor-scan-exporter sql` prints it.
COPY deploy/sql deploy/sql
COPY src src
ARG VERSION=0.1.0
ARG REVISION=unknown
RUN dotnet publish src/HarborScanExporter --configuration Release --no-restore --use-current-runtime \
    --output /publish -p:Version=${VERSION} -p:SourceRevisionId=${REVISION} -p:DebugType=none

FROM ${FINAL_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Harbor Scan Exporter" \
      org.opencontainers.image.description="Prometheus exporter that tells stuck Harbor image scans from waiting ones" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /publish/harbor-scan-exporter /usr/local/bin/harbor-scan-exporter
# A number, set by the base image: Kubernetes cannot prove runAsNonRoot of a name.
USER $APP_UID
EXPOSE 10988
# No HEALTHCHECK: the image has neither a shell nor an HTTP client to run one with. Orchestrators ask
# GET /healthz, and Prometheus notices a dead exporter by its scrape.
ENTRYPOINT ["/usr/local/bin/harbor-scan-exporter"]
CMD ["serve"]
