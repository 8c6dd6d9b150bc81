"""Why a deadline is where it is, as sentences without a language. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from wardkeeper.messages.sentence import Moment, Sentence, Span, gettext_noop
from wardkeeper.registry.calendars.clock import HORIZON_YEARS, MINUTE_US, ServiceCalendar
from wardkeeper.registry.calendars.deadline import Deadline, Pause, Target
from wardkeeper.registry.calendars.timetable import Interval, micros, moment

_LISTED = 5
"""More closed times than these are summed up instead of listed."""

_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Says times of one calendar; with their dates where a weekday alone would be ambiguous."""

    calendar: ServiceCalendar
    dated: bool

    def at(self, at: datetime) -> Moment:
        return Moment(at.astimezone(self.calendar.zone), self.dated)

    def at_us(self, at: int) -> Moment:
        return Moment(moment(at, self.calendar.zone), self.dated)


def explain(
    calendar: ServiceCalendar, start: datetime, target: Target, pauses: Iterable[Pause], result: Deadline
) -> list[Sentence]:
    """From the target over what lies between to the deadline; `result` is what `deadline` gave for the same."""
    due = result.due
    end = due or max((pause.begin for pause in pauses if pause.end is None), default=start)
    speaker = _Speaker(calendar, dated=end - start > _WEEK)
    first = Moment(start.astimezone(calendar.zone), dated=True)
    sentences = [_of_target(target, first)]
    if not calendar.opens(start) and (target.minutes or target.days):
        sentences.append(Sentence(gettext_noop("That is outside service hours.")))
    sentences += _of_closed_times(speaker, start, end)
    sentences += [
        Sentence(gettext_noop("%(day)s is a make-up day and counts."), {"day": day})
        for day in _make_up_days(calendar, start, end)[:_LISTED]
    ]
    if result.paused_s:
        paused = Span(round(result.paused_s))
        sentences.append(
            Sentence(
                gettext_noop("The clock stood for %(paused)s of service time, which is added."),
                {"paused": paused},
            )
        )
    if due is None:
        text = gettext_noop("The clock has stood since %(since)s; the deadline is known when it runs again.")
        return [*sentences, Sentence(text, {"since": speaker.at(end)})]
    closes = not calendar.opens(due) and calendar.opens(due - timedelta(microseconds=1))
    text = gettext_noop("Due %(due)s, at closing time.") if closes else gettext_noop("Due %(due)s.")
    return [*sentences, Sentence(text, {"due": Moment(due.astimezone(calendar.zone), dated=True)})]


def _of_target(target: Target, start: Moment) -> Sentence:
    if target.minutes is not None:
        return Sentence(
            gettext_noop("%(target)s of service time from %(start)s."),
            {"target": Span(round(target.minutes * 60)), "start": start},
        )
    days = target.days or 0
    if not target.end_of_day:
        text = gettext_noop("On working day %(days)s after %(start)s, at the same time of day.")
    elif days:
        text = gettext_noop("On working day %(days)s after %(start)s, at closing time.")
    else:
        return Sentence(gettext_noop("At closing time of the working day of %(start)s."), {"start": start})
    return Sentence(text, {"days": days, "start": start})


def _of_closed_times(speaker: _Speaker, start: datetime, end: datetime) -> list[Sentence]:
    calendar = speaker.calendar
    served = calendar.table(start.year, end.year).between(micros(start), micros(end))
    gaps = [(before[1], after[0]) for before, after in pairwise(served)]
    if len(gaps) <= _LISTED:
        return [_of_gap(speaker, gap) for gap in gaps]
    total = Span(sum(opens - closes for closes, opens in gaps) // (MINUTE_US // 60))
    text = gettext_noop("Closed %(count)s times until then, %(total)s in all.")
    off = [_of_gap(speaker, gap) for gap in gaps if _days_off(calendar, gap)]
    return [Sentence(text, {"count": len(gaps), "total": total}), *off[:_LISTED]]


def _of_gap(speaker: _Speaker, gap: Interval) -> Sentence:
    off = _days_off(speaker.calendar, gap)
    if any(day in speaker.calendar.holidays for day in off):
        text = gettext_noop("Closed over a holiday from %(from)s to %(to)s.")
    elif off:
        text = gettext_noop("Closed over days off from %(from)s to %(to)s.")
    else:
        text = gettext_noop("Closed from %(from)s to %(to)s.")
    return Sentence(text, {"from": speaker.at_us(gap[0]), "to": speaker.at_us(gap[1])})


def _days_off(calendar: ServiceCalendar, gap: Interval) -> list[date]:
    """The dates without service that the gap covers."""
    first, last = (moment(at, calendar.zone).date() for at in gap)
    days = (first + timedelta(days=n) for n in range(1, (last - first).days))
    return [day for day in days if not calendar.is_working_day(day)]


def _make_up_days(calendar: ServiceCalendar, start: datetime, end: datetime) -> list[date]:
    first, last = (at.astimezone(calendar.zone).date() for at in (start, end))
    if last > first + timedelta(days=366 * HORIZON_YEARS):
        return []
    return sorted(day for day, segments in calendar.make_up_days.items() if segments and first <= day <= last)
