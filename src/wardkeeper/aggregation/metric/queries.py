"""Questions about samples. Nothing here writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils.translation import get_language

from wardkeeper.aggregation.metric import block, catalogue, reading
from wardkeeper.aggregation.metric.block import Stats
from wardkeeper.aggregation.metric.codec import Floats, Integers
from wardkeeper.aggregation.metric.models import Feed, Series, ThresholdRule

TOP_RAW_MS = 2 * block.HOUR_MS
"""Windows up to this long are ranked by every sample, longer ones by roll-ups."""


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """unit   as metrics.toml explains; "share" is 0..1
    title  in the reader's language
    """

    id: int
    ci: int
    metric: str
    instance: str
    unit: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Track:
    """One series in a period, ascending.

    step_s  0: the samples as they came; else means of buckets that start at `times_ms`
    low, high  of each bucket; the values themselves if step_s is 0
    NaN where a series was asked for and not answered.
    """

    series: int
    step_s: int
    times_ms: Integers
    values: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Rank:
    series: int
    ci: int
    instance: str
    mean: float
    high: float


def series_of(ci: int) -> list[SeriesInfo]:
    """Every series that was ever collected of a CI, by metric and instance (numbers in numeric order)."""
    return sorted(map(_info, Series.objects.filter(ci=ci)), key=_order)


def series_by_ids(ids: Iterable[int]) -> dict[int, SeriesInfo]:
    return {row.pk: _info(row) for row in Series.objects.filter(pk__in=list(ids))}


def find_series(ci: int, metric: str, instance: str | None = None) -> list[int]:
    """Ids of a metric's series of a CI; all instances unless one is named."""
    rows = Series.objects.filter(ci=ci, metric=metric)
    return list((rows if instance is None else rows.filter(instance=instance)).values_list("pk", flat=True))


def _info(row: Series) -> SeriesInfo:
    meaning = catalogue.metric(row.metric)
    title = meaning.title_zh if (get_language() or "zh").startswith("zh") else meaning.title
    return SeriesInfo(row.pk, row.ci, row.metric, row.instance, meaning.unit, meaning.kind, title)


def _order(info: SeriesInfo) -> tuple[str, int, str]:
    return info.metric, int(info.instance) if info.instance.isdecimal() else 0, info.instance


def window(
    series_ids: Iterable[int], start: datetime, end: datetime, step_s: int | None = None
) -> dict[int, Track]:
    """The series in [start, end), by id; one without samples has an empty track.

    step_s  None: samples as they came, and where those have expired the finest roll-up that is
            left; else buckets of this width (at least a minute; from 5 minutes on made of roll-ups)
    At most eight statements, whatever the number of series.
    """
    wanted = list(dict.fromkeys(series_ids))
    span = (_ms(start), _ms(end))
    source = reading.locate(wanted)
    if step_s is None:
        return {pk: _full(pk, source, span, found) for pk, found in reading.raw(source, span).items()}
    if step_s < block.FIVE_MINUTES:
        return {
            pk: _stepped(pk, block.roll_up(times, values[:, None], step_s), step_s)
            for pk, (times, values) in reading.raw(source, span).items()
        }
    finest = block.FIVE_MINUTES if step_s < block.HOUR else block.HOUR
    return {
        pk: _stepped(pk, stats if step_s == finest else block.coarser(stats, step_s), step_s)
        for pk, stats in reading.rolled(source, span, finest).items()
    }


def _full(pk: int, source: reading.Source, span: tuple[int, int], found: tuple[Integers, Floats]) -> Track:
    """Raw samples, with roll-ups before the first of them."""
    times, values = found
    low = high = values
    first = int(times[0]) if len(times) else span[1]
    for step_s in (block.FIVE_MINUTES, block.HOUR):
        if first - span[0] < step_s * 1000 or not source.is_older(pk, first):
            break
        older = reading.blocks_only(source, pk, (span[0], first), step_s)
        if len(older.times_ms):
            means = _mean(older)
            times, values = np.append(older.times_ms, times), np.append(means, values)
            low, high = np.append(older.low, low), np.append(older.high, high)
            first = int(older.times_ms[0])
    return Track(pk, 0, times, values, low, high)


def _stepped(pk: int, stats: Stats, step_s: int) -> Track:
    flat = [np.ravel(array) for array in stats.arrays()]
    return Track(pk, step_s, stats.times_ms, _mean(Stats(stats.times_ms, *flat)), flat[1], flat[2])


def _mean(stats: Stats) -> Floats:
    with np.errstate(all="ignore"):
        mean: Floats = np.where(stats.count > 0, stats.total / stats.count, np.nan)
    return mean


def latest(ci: int) -> dict[int, tuple[int, float]]:
    """The newest sample of each series of a CI: (epoch ms, value). NaN: asked and not answered."""
    return reading.latest(ci)


def top(
    metric: str, n: int, start: datetime, end: datetime, *, cis: Sequence[int] | None = None
) -> list[Rank]:
    """The `n` series of a metric with the highest mean in [start, end), highest first.

    cis  only these CIs, for a reader who may not see all
    """
    rows = Series.objects.filter(metric=metric)
    if cis is not None:
        rows = rows.filter(ci__in=list(cis))
    known = {row.pk: row for row in rows}
    length_ms = _ms(end) - _ms(start)
    step_s = (
        None if length_ms <= TOP_RAW_MS else block.FIVE_MINUTES if length_ms < block.DAY_MS else block.HOUR
    )
    found = []
    for pk, track in window(known, start, end, step_s).items():
        answered = ~np.isnan(track.values)
        if answered.any():
            mean, high = float(track.values[answered].mean()), float(track.high[answered].max())
            found.append(Rank(pk, known[pk].ci, known[pk].instance, mean, high))
    return sorted(found, key=lambda rank: (-rank.mean, rank.series))[:n]


def feeds_of(ci: int) -> list[Feed]:
    """Which targets poll a CI, and when each was last heard of."""
    return list(Feed.objects.filter(ci=ci).order_by("target"))


def threshold_rules() -> list[ThresholdRule]:
    return list(ThresholdRule.objects.order_by("metric", "code", "name"))


def units() -> Mapping[str, catalogue.Metric]:
    """Every known metric by name."""
    return catalogue.catalogue()


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
