"""How long a poll may take by its own clock."""

from wardkeeper.acquisition.contract import Device


def budget_s(device: Device) -> float:
    """A little less than `device.timeout_s`, so that a poll still says what it found before it is cut off.

    The scheduler cancels at `timeout_s` and a cancelled poll emits nothing: a dead
    device would then leave a gap instead of `device.reachable` 0.
    """
    return max(device.timeout_s - 0.5, device.timeout_s * 0.9)
