"""Samples as bytes in columns, and the limits they are watched by. docs/why/store.md explains the shapes.

Times are epoch milliseconds in bigint columns (`..._ms`): they are compared and packed as
numbers, never shown from here. `ci` is the id of a cmdb.CI without a foreign key: samples of
a CI that was removed are still proof, and must not keep a message from being stored.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Feed(models.Model):
    """One CI as polled by one target: the stream that batches belong to.

    Its row is locked while a batch of it is stored, so batches of one feed are never stored
    side by side.

    polled_ms   time of the newest poll stored; older batches are stored but not evaluated
    packed_ms   polls before it may have left the hot table: no base for another
    watched_ms  since when polls are expected
    is_silent   `device.no_data` was raised and not yet cleared
    is_ahead    it once sent polls from a future that had not come (a wrong clock), so a key that looks
                new may be taken; its polls are never written relative to each other
    revision    counts changes of its threshold states, so that a process knows its copy is old
    """

    ci = models.BigIntegerField()
    target = models.CharField(max_length=200)
    collector = models.CharField(max_length=100)
    interval_s = models.FloatField()
    polled_ms = models.BigIntegerField(null=True)
    stored_ms = models.BigIntegerField(null=True)
    packed_ms = models.BigIntegerField(default=0)
    watched_ms = models.BigIntegerField()
    layout = models.ForeignKey("Layout", models.SET_NULL, null=True, related_name="+", db_index=False)
    is_watched = models.BooleanField(default=True)
    is_silent = models.BooleanField(default=False)
    is_ahead = models.BooleanField(default=False)
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ci", "target"], name="metric_feed_once")]

    def __str__(self) -> str:
        return f"{self.target} of {self.ci}"


class Series(models.Model):
    """One column's identity: what of which CI is measured. `instance` is "" if the CI has one only."""

    ci = models.BigIntegerField()
    metric = models.CharField(max_length=80)
    instance = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ci", "metric", "instance"], name="metric_series_once")
        ]
        indexes = [models.Index(fields=["metric"], name="metric_series_metric")]

    def __str__(self) -> str:
        return f"{self.ci} {self.metric}{{{self.instance}}}" if self.instance else f"{self.ci} {self.metric}"


class Layout(models.Model):
    """The columns of a feed's polls, in order. A new set of columns is a new layout.

    digest  SHA-256 of the series text
    kinds   one byte a column, how the codec groups them
    """

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="layouts", db_index=False)
    digest = models.BinaryField()
    series = ArrayField(models.BigIntegerField())
    kinds = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "digest"], name="metric_layout_once")]

    def __str__(self) -> str:
        return f"{len(self.series)} columns of feed {self.feed_id}"


class Poll(models.Model):
    """Hot: all values of one poll (`codec.encode_poll`). Packed into blocks and deleted within hours.

    base_ms  time of the poll of the same layout that it is relative to; empty: self-contained
    """

    pk = models.CompositePrimaryKey("ci", "time_ms", "layout")
    ci = models.BigIntegerField()
    time_ms = models.BigIntegerField()
    layout = models.ForeignKey(Layout, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    base_ms = models.BigIntegerField(null=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.ci} at {self.time_ms}"


class RetentionRule(models.Model):
    """How long samples are kept. The lowest `position` whose pattern matches the metric applies.

    pattern  shell pattern of metric names, "interface.*"
    """

    position = models.PositiveSmallIntegerField(unique=True)
    pattern = models.CharField(max_length=80)
    raw_days = models.PositiveIntegerField()
    five_minute_days = models.PositiveIntegerField()
    hour_days = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.pattern


class Block(models.Model):
    """Packed: the samples of a layout in one window, each series compressed on its own.

    step_s    0: raw; 300, 3600: rolled up, each series' slice holds count, min, max, sum and last
    start_ms  start of the window; its length depends on the step (`window.LENGTH_MS`)
    end_ms    its end, exclusive
    times     of the samples or buckets, shared by all series
    ends      where each column's slice of `data` ends; a column kept elsewhere has an empty slice
    is_rolled raw only: the roll-ups contain it
    """

    pk = models.CompositePrimaryKey("layout", "step_s", "start_ms", "retention")
    layout = models.ForeignKey(Layout, models.CASCADE, related_name="+", db_index=False)
    step_s = models.PositiveSmallIntegerField()
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    retention = models.ForeignKey(RetentionRule, models.PROTECT, related_name="+", db_index=False)
    is_rolled = models.BooleanField(default=False)
    times = models.BinaryField()
    ends = ArrayField(models.IntegerField())
    data = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["retention", "step_s", "end_ms"], name="metric_block_age"),
            models.Index(
                fields=["end_ms"], name="metric_block_to_roll", condition=models.Q(step_s=0, is_rolled=False)
            ),
        ]

    def __str__(self) -> str:
        return f"layout {self.layout_id} at {self.start_ms}, step {self.step_s} s"


class ThresholdRule(models.Model):
    """When a metric's value is a condition (`threshold.Rule` says exactly how it is read).

    code      the condition it raises, e.g. "interface.down"
    instance  shell pattern of instances
    ci, tier, ci_types  empty: all; of the rules with one code that fit a series the narrowest applies
    levels    [[severity, raise at, clear at], ...] from mildest to worst
    revision  set from the clock at each change, so that the highest one tells if anything changed
    """

    name = models.CharField(max_length=80, unique=True)
    code = models.CharField(max_length=80)
    metric = models.CharField(max_length=80)
    instance = models.CharField(max_length=200, default="*")
    ci = models.BigIntegerField(null=True, blank=True)
    ci_types = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    tier = models.CharField(max_length=2, blank=True)
    is_above = models.BooleanField(default=True)
    levels = models.JSONField()
    for_s = models.FloatField(default=0)
    polls = models.PositiveSmallIntegerField(default=1)
    arm_after_ok = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    is_shipped = models.BooleanField(default=False)
    revision = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(polls__gte=1), name="metric_rule_polls_positive")
        ]

    def __str__(self) -> str:
        return self.name


class ThresholdState(models.Model):
    """Where a rule stands on a series. There is no row while all is well.

    level     0 none, else the place in the rule's levels, from 1
    is_armed  false: waiting to see the series well once (`arm_after_ok`)
    progress  for each level [since ms, polls] of the run of samples beyond it, [0, 0] for none
    """

    pk = models.CompositePrimaryKey("rule", "series")
    rule = models.ForeignKey(ThresholdRule, models.CASCADE, related_name="+", db_index=False)
    series = models.ForeignKey(Series, models.CASCADE, related_name="+", db_index=False)
    feed = models.ForeignKey(Feed, models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField()
    is_armed = models.BooleanField()
    progress = models.JSONField()

    def __str__(self) -> str:
        return f"rule {self.rule_id} on series {self.series_id}: level {self.level}"
