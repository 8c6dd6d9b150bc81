"""What the collectors say, and what they are told to watch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from wardkeeper.messages.base import Message

type_scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationReceived(Message):
    """Something said to a listener: a trap, a syslog line.

    adapter  the adapter's name
    source   address of the device that speaks, without port
    kind     what it is in the protocol's own words: a trap OID, "syslog"
    fields   the protocol's own field names (RFC 5424 `facility`, SNMP OIDs);
             an adapter has already taken out whatever could name a patient
    """

    TOPIC: ClassVar[str] = "collection.observation"

    collector: str
    adapter: str
    source: str
    kind: str
    fields: Mapping[str, type_scalar]

    @property
    def key(self) -> str:
        return self.source


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationsReceived(Message):
    """What one source said to a listener within a moment, oldest first.

    One message a trap or syslog line is too dear at 50,000 lines a second, so the
    listeners send these; `split` gives the same facts one by one.
    Columns of equal length; row i is (times_ms[i], kinds[i], fields[i]), as in
    ObservationReceived. times_ms is when the collector received it, epoch
    milliseconds; what the device's own clock said is in its fields.
    """

    TOPIC: ClassVar[str] = "collection.observations"

    collector: str
    adapter: str
    source: str
    times_ms: tuple[int, ...]
    kinds: tuple[str, ...]
    fields: tuple[Mapping[str, type_scalar], ...]

    @property
    def key(self) -> str:
        return self.source

    def split(self) -> Iterator[ObservationReceived]:
        """Row by row; the ids are the same at every delivery, "<id of the batch>/<row>"."""
        for row, (time_ms, kind, fields) in enumerate(
            zip(self.times_ms, self.kinds, self.fields, strict=True)
        ):
            yield ObservationReceived(
                id=f"{self.id}/{row}",
                happened_at=_EPOCH + timedelta(milliseconds=time_ms),
                collector=self.collector,
                adapter=self.adapter,
                source=self.source,
                kind=kind,
                fields=fields,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesCollected(Message):
    """All values of one device from one poll, or from several, as columns.

    target    id of the Target that was polled
    ci        the configuration item the values belong to
    series    one line a column: `metric` or `metric{instance}`, e.g. "interface.in_octets{3}"
    times_ms  poll times, epoch milliseconds, ascending
    values    float64 little-endian, row-major (len(times_ms), number of series);
              NaN where a series was asked for and not answered
    """

    TOPIC: ClassVar[str] = "collection.samples"

    collector: str
    target: str
    ci: int
    series: str
    times_ms: tuple[int, ...]
    values: bytes
    interval_s: float

    @property
    def key(self) -> str:
        return str(self.ci)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of a device that has series of its own: an interface, a file system, a battery."""

    kind: str
    instance: str
    name: str
    attributes: Mapping[str, type_scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDescribed(Message):
    """What a device says about itself. Sent at the first poll and when something changed."""

    TOPIC: ClassVar[str] = "collection.device"

    collector: str
    target: str
    ci: int
    attributes: Mapping[str, type_scalar]
    components: tuple[Component, ...] = ()

    @property
    def key(self) -> str:
        return str(self.ci)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing for one adapter to poll.

    config    the adapter's own settings (host, port, ...), without secrets
    secrets   sealed with the installation's key (`wardkeeper.settings.vault`); the
              adapter opens them in memory only
    """

    id: str
    ci: int
    adapter: str
    interval_s: float
    config: Mapping[str, type_scalar]
    secrets: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorStarted(Message):
    """A collector is up and wants to be told its targets."""

    TOPIC: ClassVar[str] = "collection.collector_started"

    collector: str

    @property
    def key(self) -> str:
        return self.collector


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsAssigned(Message):
    """The whole list of a collector; it replaces the one before if `version` is higher."""

    TOPIC: ClassVar[str] = "collection.targets"

    collector: str
    version: int
    targets: tuple[Target, ...]

    @property
    def key(self) -> str:
        return self.collector
