"""An event reaches those who may see the thing itself, and nobody else."""

import json

from wardkeeper.messages import AlarmRaised, ClockWarned, ContactLogged, RecordMoved, now
from wardkeeper.presentation.web.audience import LOST, MOST_EVENTS, QUEUE_WRITES, Audiences, Listener
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import EVERYWHERE, Scope


def moved(record: int, path: str = "1.4.", requester: int | None = None) -> RecordMoved:
    return RecordMoved(
        record=record,
        number=f"20261122-INC-{record:04}",
        kind="incident",
        version=2,
        hospital=1,
        place_path=path,
        state="accepted",
        priority=2,
        requester=requester,
        before="new",
        move="accept",
        actor=None,
    )


def raised(alarm: int, path: str) -> AlarmRaised:
    return AlarmRaised(
        alarm=alarm,
        version=1,
        fingerprint="x",
        condition="interface.down",
        severity="major",
        state="active",
        count=1,
        hospital=None,
        place=None,
        place_path=path,
        ci=None,
        ci_name="",
        raised_at=now(),
    )


def listener(person: int, **paths: str) -> Listener:
    return Listener(
        Scope(person=person, paths={right.replace("_", "."): (path,) for right, path in paths.items()})
    )


def heard(by: Listener) -> list[tuple[str, int]]:
    found = []
    while not by.queue.empty():
        for block in (by.queue.get_nowait() or b"").decode().strip().split("\n\n"):
            kind, data = block.split("\n")
            found.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: ")).get("id")))
    return found


def tell(*messages, to):
    audiences = Audiences()
    for each in to:
        audiences.join(each)
    audiences.hear(messages)
    audiences.tell()
    return audiences


def test_a_reader_of_another_hospital_hears_nothing():
    here, there = listener(1, record_view="1."), listener(2, record_view="2.")
    tell(moved(7, "1.4."), to=[here, there])
    assert heard(here) == [("record", 7)]
    assert heard(there) == []


def test_records_and_alarms_are_different_rights():
    clerk, engineer = listener(1, record_view=EVERYWHERE), listener(2, alarm_view="1.")
    tell(moved(7), raised(3, "1.4."), to=[clerk, engineer])
    assert heard(clerk) == [("record", 7)]
    assert heard(engineer) == [("alarm", 3)]


def test_an_alarm_without_a_place_is_for_those_who_see_everything():
    everywhere, somewhere = listener(1, alarm_view=EVERYWHERE), listener(2, alarm_view="1.")
    tell(raised(3, ""), to=[everywhere, somewhere])
    assert heard(everywhere) == [("alarm", 3)]
    assert heard(somewhere) == []


def test_a_requester_hears_of_the_own_record_without_any_right():
    nurse, other = listener(5), listener(6)
    tell(moved(7, requester=5), to=[nurse, other])
    assert heard(nurse) == [("record", 7)]
    assert heard(other) == []


def test_nothing_but_ids_and_kinds_leaves():
    reader = listener(1, record_view="1.")
    tell(moved(7), to=[reader])
    frame = reader.queue.get_nowait().decode()
    assert json.loads(frame.split("data: ")[1]) == {"id": 7, "number": "20261122-INC-0007", "what": "moved"}


def test_the_same_news_within_one_write_is_told_once():
    reader = listener(1, record_view="1.")
    tell(moved(7), moved(7), moved(7), to=[reader])
    assert heard(reader) == [("record", 7)]


def test_a_warned_clock_names_its_record_and_a_contact_is_no_event():
    reader = listener(1, record_view="1.")
    warned = ClockWarned(
        record=7, number="n", hospital=1, place_path="1.", clock="restore", percent=75, due_at=now()
    )
    tell(warned, ContactLogged(contact=1, record=7, channel="portal"), to=[reader])
    assert heard(reader) == [("clock", 7)]


def test_a_storm_is_one_word_to_look_at_everything():
    reader = listener(1, record_view="1.")
    tell(*(moved(number) for number in range(MOST_EVENTS + 1)), to=[reader])
    assert reader.queue.get_nowait() == LOST
    assert reader.queue.empty()


def test_news_missed_on_the_bus_are_said_to_be_lost():
    reader = listener(1)
    audiences = Audiences()
    audiences.join(reader)
    audiences.hear([])
    audiences.tell()
    assert reader.queue.get_nowait() == LOST


def test_a_browser_that_does_not_read_gets_a_word_instead_of_a_backlog():
    reader = listener(1, record_view="1.")
    audiences = Audiences()
    audiences.join(reader)
    for number in range(QUEUE_WRITES + 1):
        audiences.hear([moved(number)])
        audiences.tell()
    assert reader.queue.get_nowait() == LOST
    assert heard(reader) == [("record", QUEUE_WRITES)]


def test_who_left_is_forgotten():
    reader = listener(1, record_view="1.")
    audiences = Audiences()
    audiences.join(reader)
    assert len(audiences) == 1
    audiences.leave(reader)
    audiences.hear([moved(1, requester=1)])
    audiences.tell()
    assert len(audiences) == 0
    assert reader.queue.empty()


def test_rights_of_the_stream_are_those_of_the_page():
    assert {Right.RECORD_VIEW, Right.ALARM_VIEW} == {"record.view", "alarm.view"}
