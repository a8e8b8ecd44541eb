using System.Reflection;

namespace HarborScanExporter.Tests.JobService;

/// <summary>Every situation of the replay list has its test here.</summary>
public sealed class SituationListTests
{
    [Theory]
    [InlineData(typeof(StuckSituationTests), "P1 P2 P3 P5 P6 P7 P9 P10 P11 P13 P14 P16 P20")]
    [InlineData(typeof(HealthySituationTests), "N2 N3 N4 N5 N6 N7 N8 N9 N12 N13 N16 N25")]
    public void Each_of_the_25_is_held(Type tests, string situations)
    {
        string[] held = [.. tests.GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null).Select(method => method.Name.Split('_')[0]).Distinct()];
        Assert.All(situations.Split(' '), situation => Assert.Contains(situation, held));
    }
}
