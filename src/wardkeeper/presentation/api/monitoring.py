"""Alarms, observations and samples; devices to watch."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.credentials import separated
from wardkeeper.aggregation.alarm import queries as alarms
from wardkeeper.aggregation.alarm import services as alarm_services
from wardkeeper.aggregation.discovery import services as discovery
from wardkeeper.aggregation.event import queries as events
from wardkeeper.aggregation.metric import queries as metric
from wardkeeper.presentation.api import shapes
from wardkeeper.presentation.api.access import asker, scope
from wardkeeper.presentation.api.reading import Code, Cursor, Id, Long, Moment, Name, Short, Size
from wardkeeper.processing.incident.queries import records_of_alarms
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.places import queries as places

router = Router(tags=["monitoring"])
MOST_SERIES = 200
LONGEST_RAW = timedelta(days=2)
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


class AlarmsWanted(Schema):
    state: Literal["active", "cleared", "all"] = "active"
    severity: Literal["critical", "major", "minor", "indeterminate", "warning"] | None = None
    ci: Id | None = None
    place: Id | None = None
    acknowledged: bool | None = None
    q: Short = ""
    sort: Literal["severity", "newest"] = "severity"
    cursor: Cursor = ""
    limit: Size = 50


@router.get("/alarms")
def list_alarms(request: HttpRequest, wanted: Query[AlarmsWanted]) -> dict[str, Any]:
    rights = scope(request)
    narrowed = alarms.Filter(
        state="" if wanted.state == "all" else wanted.state,
        severities=[wanted.severity] if wanted.severity else (),
        ci=wanted.ci,
        place_path=places.place(wanted.place).path if wanted.place else "",
        quiet=wanted.acknowledged,
        text=wanted.q,
        sort=wanted.sort,
    )
    page = alarms.alarms(rights, narrowed, at=timezone.now(), cursor=wanted.cursor, size=wanted.limit)
    incidents = records_of_alarms(rights, [alarm.pk for alarm in page.items])
    return {
        "items": [shapes.alarm(alarm, incidents.get(alarm.pk)) for alarm in page.items],
        "next": page.next,
    }


@router.get("/alarms/{alarm_id}")
def one_alarm(request: HttpRequest, alarm_id: Id) -> dict[str, Any]:
    rights = scope(request)
    found = alarms.alarm(rights, alarm_id)
    return shapes.alarm(found, records_of_alarms(rights, [found.pk]).get(found.pk))


class Acknowledgement(Schema):
    """`until` ends it; 30 days at most, which is also what leaving it out means."""

    alarms: list[Id] = Field(min_length=1, max_length=500)
    note: Long = ""
    until: Moment | None = None


@router.post("/alarms/acknowledge")
def acknowledge(request: HttpRequest, asked: Acknowledgement) -> dict[str, Any]:
    rights = scope(request)
    found = [alarms.alarm(rights, alarm_id) for alarm_id in asked.alarms]
    for alarm in found:
        rights.demand(Right.ALARM_ACKNOWLEDGE, alarm.place_path)
    if asked.until is not None and asked.until <= timezone.now():
        raise HttpError(422, "until must lie in the future")
    done = alarm_services.acknowledge(
        [alarm.pk for alarm in found], actor=asker(request), note=asked.note, until=asked.until
    )
    return {"acknowledged": [alarm.pk for alarm in done]}


@router.post("/alarms/{alarm_id}/clear")
def clear(request: HttpRequest, alarm_id: Id) -> dict[str, Any]:
    """For a condition whose source never says that it is over, such as a single trap."""
    rights = scope(request)
    found = alarms.alarm(rights, alarm_id)
    rights.demand(Right.ALARM_ACKNOWLEDGE, found.place_path)
    alarm_services.clear_by_hand(found.pk)
    return one_alarm(request, alarm_id)


class EventsWanted(Schema):
    ci: Id | None = None
    adapter: Code | None = None
    source: Short = ""
    kind: Short = ""
    cursor: Cursor = ""
    limit: Size = 50


@router.get("/observations")
def list_observations(request: HttpRequest, wanted: Query[EventsWanted]) -> dict[str, Any]:
    """What devices said of themselves: traps, log lines. Newest first."""
    narrowed = events.Filter(
        ci=wanted.ci, adapter=wanted.adapter or "", source=wanted.source, kind=wanted.kind
    )
    page = events.events(scope(request), narrowed, cursor=wanted.cursor, size=wanted.limit)
    return {"items": [shapes.observation(event) for event in page.items], "next": page.next}


class SamplesWanted(Schema):
    """`step_s`: width of a bucket; left out, samples as they came (two days at most)."""

    ci: Id
    metric: Short
    instance: Short | None = None
    start: Moment | None = None
    end: Moment | None = None
    step_s: int | None = Field(default=None, ge=60, le=86_400)


@router.get("/samples")
def samples(request: HttpRequest, wanted: Query[SamplesWanted]) -> dict[str, Any]:
    """Series of one CI. Values are null where the device was asked and did not answer."""
    found = cmdb.ci(scope(request), wanted.ci)
    end = wanted.end or timezone.now()
    if end < EARLIEST:
        raise HttpError(422, "nothing was measured before 1970")
    start = wanted.start or end - timedelta(hours=1)
    if start >= end or (wanted.step_s is None and end - start > LONGEST_RAW):
        raise HttpError(422, "start must lie before end; more than two days need step_s")
    if wanted.step_s is not None and (end - start).total_seconds() / wanted.step_s > 20_000:  # noqa: PLR2004 - as many as a chart can show
        raise HttpError(422, "too many steps: choose a larger step_s")
    ids = metric.find_series(found.pk, wanted.metric, wanted.instance)[:MOST_SERIES]
    known = metric.series_by_ids(ids)
    tracks = metric.window(ids, start, end, wanted.step_s)
    return {
        "items": [
            {
                "metric": known[pk].metric,
                "instance": known[pk].instance,
                "unit": known[pk].unit,
                "title": known[pk].title,
                "times_ms": track.times_ms.tolist(),
                "values": [None if math.isnan(value) else value for value in track.values.tolist()],
            }
            for pk, track in tracks.items()
        ],
        "next": None,
    }


class Watching(Schema):
    """How to watch: the adapter's name, its settings, and its secrets, which are sealed at once."""

    adapter: Code
    config: dict[str, str | int | float | bool | None] = {}
    secrets: dict[str, str] = {}
    interval_s: float = Field(default=60, ge=5, le=86_400)


def _watch(way: Watching) -> discovery.Watch:
    """Whatever the adapter calls a secret is sealed, wherever it was sent. Raises ConfigError."""
    config, secrets = separated(way.adapter, {**way.config, **way.secrets})
    return discovery.Watch(adapter=way.adapter, config=config, secrets=secrets, interval_s=way.interval_s)


class NewDevice(Schema):
    name: Name
    address: Short
    type: Code
    place: Id
    code: Code | None = None
    name_en: Short = ""
    tier: Literal["T1", "T2", "T3", "T4"] = "T3"
    owner_team: Id | None = None
    watch: list[Watching] = []


@router.post("/devices", response={201: dict[str, Any]})
def add_device(request: HttpRequest, new: NewDevice) -> tuple[int, dict[str, Any]]:
    """A CI with its address, watched from now on."""
    rights = scope(request)
    place = places.place(new.place)
    rights.demand(Right.DEVICE_ADD, place.path)
    try:
        found = discovery.add_device(
            discovery.NewDevice(
                name=new.name,
                name_en=new.name_en[:120],
                address=new.address,
                type_code=cmdb.types().get(code=new.type).code,
                place=place,
                code=new.code or "",
                tier=new.tier,
                owner_team=people.teams([place.hospital_id or place.pk]).get(pk=new.owner_team)
                if new.owner_team
                else None,
                watches=tuple(map(_watch, new.watch)),
            )
        )
    except (ValueError, ConfigError) as error:
        raise HttpError(422, str(error)) from error
    return 201, shapes.ci(cmdb.ci(rights, found.pk) if rights.may(Right.CMDB_VIEW, place.path) else found)
