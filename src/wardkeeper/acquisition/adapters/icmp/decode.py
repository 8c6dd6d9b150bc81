"""What the round trips of one poll say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

from wardkeeper.acquisition.contract import Malformed


@dataclass(frozen=True, slots=True)
class Summary:
    """`rtt_ms` is the mean of those that came back, NaN if none did; `loss_share` is 0..1."""

    loss_share: float
    rtt_ms: float
    rtt_min_ms: float


def summary(round_trips_s: Sequence[float | None], *, timeout_s: float) -> Summary:
    """One number per probe, None for one that never came back.

    What came back after `timeout_s` counts as lost. Raises Malformed if there was no
    probe or a round trip is no time.
    """
    if not round_trips_s:
        raise Malformed("no_probes")
    if any(each is not None and (not isfinite(each) or each < 0) for each in round_trips_s):
        raise Malformed("round_trip_not_a_time")
    back = [each * 1000 for each in round_trips_s if each is not None and each <= timeout_s]
    return Summary(
        loss_share=1 - len(back) / len(round_trips_s),
        rtt_ms=sum(back) / len(back) if back else nan,
        rtt_min_ms=min(back, default=nan),
    )
