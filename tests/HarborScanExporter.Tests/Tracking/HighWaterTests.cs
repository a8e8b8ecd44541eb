using HarborScanExporter.Database.Queries;
using HarborScanExporter.Tracking;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>An id is settled when nothing at or below it can appear any more.</summary>
public sealed class HighWaterTests
{
    private const double Now = ScanRows.Now;

    private static TableHorizon Transactions(long oldest, long next) => new() { OldestTransaction = oldest, NextTransaction = next };

    [Theory]
    [InlineData(599, 100, 10)]
    [InlineData(600, 99, 10)]
    [InlineData(600, 100, 50)]
    [InlineData(3599, 99, 10)]
    [InlineData(3600, 99, 50)]
    public void It_moves_after_ten_minutes_once_no_transaction_of_then_is_open_and_after_an_hour_whatever_is(double waited, long oldest, long settled)
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(90, 100), Now);
        high.Saw(70, Transactions(oldest, 200), Now + waited);

        Assert.Equal(settled, high.Settled);
    }

    [Theory]
    [InlineData(100, 0, 50)]
    [InlineData(99, 0, 10)]
    [InlineData(99, 2999, 10)]
    [InlineData(100, 30, 50)]
    [InlineData(99, 3000, 50)]
    public void At_a_start_the_last_ten_minutes_are_open_and_the_last_hour_while_a_transaction_of_then_is(long oldest, double waited, long settled)
    {
        var high = new HighWater(new SettledIds(OfTheHour: 10, OfTenMinutes: 50), Transactions(90, 100), Now);
        high.Saw(70, Transactions(oldest, 200), Now + waited);

        Assert.Equal(settled, high.Settled);
    }

    [Fact]
    public void Reads_close_together_leave_one_mark_and_each_mark_is_waited_for()
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(100, 100), Now);
        high.Saw(60, Transactions(100, 100), Now + 9);
        high.Saw(70, Transactions(100, 100), Now + 10);

        high.Saw(90, Transactions(200, 200), Now + 600);
        Assert.Equal(50, high.Settled);
        high.Saw(90, Transactions(200, 200), Now + 609);
        Assert.Equal(50, high.Settled);
        high.Saw(90, Transactions(200, 200), Now + 610);
        Assert.Equal(70, high.Settled);
    }

    [Fact]
    public void A_mark_that_waits_for_its_transactions_keeps_those_after_it_waiting()
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(90, 100), Now);
        high.Saw(60, Transactions(90, 110), Now + 20);

        high.Saw(60, Transactions(105, 300), Now + 700);
        Assert.Equal(50, high.Settled);
        high.Saw(60, Transactions(110, 300), Now + 701);
        Assert.Equal(60, high.Settled);
    }

    [Fact]
    public void It_falls_to_the_highest_row_that_is_left_and_forgets_the_marks_above()
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(100, 100), Now);
        high.Saw(60, Transactions(100, 100), Now + 600);
        high.Lower(30);
        Assert.Equal(30, high.Settled);

        // The marks of 50 and 60 would be over: their ids may be those of new rows.
        high.Saw(55, Transactions(200, 200), Now + 1300);
        Assert.Equal(30, high.Settled);
        high.Saw(90, Transactions(200, 200), Now + 1900);
        Assert.Equal(55, high.Settled);
    }

    [Fact]
    public void It_does_not_fall_with_an_older_mark()
    {
        var high = new HighWater(40);
        high.Saw(30, Transactions(100, 100), Now);
        high.Saw(30, Transactions(100, 100), Now + 600);

        Assert.Equal(40, high.Settled);
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(-700)]
    public void A_clock_that_went_back_settles_nothing_and_starts_the_wait_anew(double back)
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(90, 100), Now);
        high.Saw(60, Transactions(back < -3000 ? 90 : 200, 200), Now + back);
        Assert.Equal(10, high.Settled);

        high.Saw(60, Transactions(200, 200), Now + back + 599);
        Assert.Equal(10, high.Settled);
        high.Saw(60, Transactions(200, 200), Now + back + 600);
        Assert.Equal(60, high.Settled);
    }

    [Fact]
    public void Of_highest_rows_that_are_gone_no_id_settles_before_another_row_has_taken_it()
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(100, 100), Now);
        high.Lower(30);
        high.Saw(30, Transactions(100, 100), Now + 300);
        high.Saw(35, Transactions(200, 200), Now + 600);

        Assert.Equal(30, high.Settled);
    }

    [Fact]
    public void A_copy_goes_its_own_way()
    {
        var high = new HighWater(10);
        high.Saw(50, Transactions(100, 100), Now);
        var copy = high.Copy();
        high.Lower(5);
        copy.Saw(60, Transactions(100, 100), Now + 600);

        Assert.Equal((5, 50), (high.Settled, copy.Settled));
    }
}
