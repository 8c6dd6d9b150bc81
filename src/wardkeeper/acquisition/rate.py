"""From counters to rates: wraps are counted through, restarts give no value instead of a spike."""

from math import nan

_TICKS = 1 << 32
_TICKS_PER_S = 100


def increase(new: int, old: int, *, bits: int, most: float) -> int | None:
    """How far a counter went from `old` to `new`; None if it was set back in between.

    bits  width of the counter, 32 or 64
    most  the largest believable increase, e.g. line speed times elapsed time

    A counter that fell either wrapped once or was set back (a card was reloaded,
    somebody cleared it). It wrapped if the way over the top is believable. `most`
    does not judge a counter that rose: agents state too low a speed for virtual
    interfaces, and their traffic is real.
    """
    if new >= old:
        return new - old
    wrapped = new - old + (1 << bits)
    return wrapped if 0 <= wrapped <= most else None


def octets_to_bps(new: int, old: int, *, elapsed_s: float, bits: int, speed_bps: float) -> float:
    """Bits per second between two readings of an octet counter; NaN if it cannot be known.

    speed_bps  of the line; 0 or NaN if unknown: then half the counter's range is the limit

    A 32-bit counter at 1 Gbit/s can wrap every 34 s. With polls further apart the
    result is the least rate that fits; the description of the interface says
    `counter_bits` 32 so that a reader can tell. RFC 2863 section 3.1.6 asks devices for
    64-bit counters above 20 Mbit/s for this reason.
    """
    if elapsed_s <= 0:
        return nan
    # A quarter over line speed: agents refresh counters in steps, so a poll may
    # see the traffic of a little more than its own interval.
    most = speed_bps * elapsed_s / 8 * 1.25 if speed_bps > 0 else float(1 << (bits - 1))
    octets = increase(new, old, bits=bits, most=most)
    return nan if octets is None else octets * 8 / elapsed_s


def restarted(uptime_ticks: int, before_ticks: int, *, elapsed_s: float) -> bool:
    """Whether a device restarted between two readings of its sysUpTime (1/100 s, wraps after 497 days).

    elapsed_s  by our monotonic clock

    The uptime must have grown by what has elapsed, modulo the wrap. Falling short
    by more than a tenth (at least 10 s, for agents that refresh it lazily) means
    a restart, even if the new uptime is already beyond the old one. Looking only at
    "smaller than before" misses that case and takes the wrap for a restart.
    """
    expected = before_ticks + round(elapsed_s * _TICKS_PER_S)
    ahead = (uptime_ticks - expected + _TICKS // 2) % _TICKS - _TICKS // 2
    return -ahead > max(10.0, elapsed_s / 10) * _TICKS_PER_S
