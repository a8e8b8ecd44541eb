# The Harbor simulator for the demonstration in compose.yaml; built from the root of the repository.
ARG BUILD_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG FINAL_IMAGE=mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY tests/HarborSimulator/HarborSimulator.csproj tests/HarborSimulator/
RUN dotnet restore tests/HarborSimulator
COPY tests/HarborSimulator tests/HarborSimulator
RUN dotnet publish tests/HarborSimulator --configuration Release --no-restore --output /publish -p:DebugType=none

FROM ${FINAL_IMAGE}
COPY --from=build /publish /usr/local/lib/harbor-simulator
USER $APP_UID
ENTRYPOINT ["dotnet", "/usr/local/lib/harbor-simulator/harbor-simulator.dll"]
CMD ["run", "--help"]
