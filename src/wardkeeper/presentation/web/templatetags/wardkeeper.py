"""The words and shapes that every page uses: built into all templates, nothing to load."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.ledger.services import flow_of
from wardkeeper.presentation.web import times

register = template.Library()

SPRITE = "web/vendor/icons.svg"

# X.733 perceived severity: shape and word. Colour comes from the style sheet.
SEVERITIES = {
    "critical": ("octagon", _("Critical")),
    "major": ("triangle", _("Major")),
    "minor": ("diamond", _("Minor")),
    "warning": ("circle", _("Warning")),
    "indeterminate": ("unknown", _("Indeterminate")),
    "cleared": ("tick", _("Cleared")),
    "ok": ("tick", _("Normal")),
    "unknown": ("unknown", _("Unknown")),
}
PRIORITY_SHAPES = {1: "octagon", 2: "triangle", 3: "diamond", 4: "circle", 5: "ring"}
PRIORITY_TITLES = {
    1: _("P1: life or the whole hospital is touched; everyone helps now"),
    2: _("P2: a clinical area is stopped or a patient is at risk"),
    3: _("P3: work is badly slowed; today"),
    4: _("P4: a single device or person; there is a way round"),
    5: _("P5: a question or a wish; by plan"),
}


@register.simple_tag
def icon(name: str, title: str = "", css: str = "") -> SafeString:
    """An outline icon of the sprite. Without a title it is decoration and hidden from screen readers."""
    href = f"{static(SPRITE)}#{name}"
    if title:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}"/></svg>', css, title, href
        )
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', css, href)


def _mark(*, shape: str, tone: str, word: str, title: str = "") -> SafeString:
    return format_html(
        '<span class="wk-mark wk-tone-{}"{}><svg aria-hidden="true"><use href="{}#shape-{}"/></svg>'
        '<span class="wk-mark-word">{}</span></span>',
        tone,
        format_html(' title="{}"', title) if title else "",
        static(SPRITE),
        shape,
        word,
    )


@register.simple_tag
def severity(code: str) -> SafeString:
    """Shape, colour and word of a severity; an unknown code shows as unknown."""
    known = code if code in SEVERITIES else "unknown"
    shape, word = SEVERITIES[known]
    return _mark(shape=shape, tone=known, word=gettext(word))


@register.simple_tag
def priority(level: int) -> SafeString:
    """Shape, colour and word of P1..P5."""
    return _mark(
        shape=PRIORITY_SHAPES.get(level, "unknown"),
        tone=f"p{level}",
        word=f"P{level}",
        title=gettext(PRIORITY_TITLES[level]) if level in PRIORITY_TITLES else "",
    )


@register.simple_tag
def health(state: str, word: str = "") -> SafeString:
    """up, down, degraded or unknown, as a CI's state is shown."""
    shapes = {
        "up": ("tick", "ok", gettext("Up")),
        "down": ("octagon", "critical", gettext("Down")),
        "degraded": ("triangle", "major", gettext("Degraded")),
    }
    shape, tone, said = shapes.get(state, ("unknown", "unknown", gettext("Unknown")))
    return _mark(shape=shape, tone=tone, word=word or said)


@register.simple_tag
def chip(text: str, tone: str = "plain") -> SafeString:
    """A quiet label. Tones: plain, open, waiting, done, bad, accent; the word carries the meaning."""
    return format_html('<span class="wk-chip wk-chip-{}">{}</span>', tone, text)


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """How long ago; exact on hover and in print."""
    if at is None:
        return SafeString("–")
    return format_html(
        '<time class="wk-time" datetime="{}" title="{}" data-relative="ago">{}</time>',
        at.isoformat(),
        times.exact(at),
        times.ago(at, timezone.now()),
    )


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """The absolute time, as short as it can be without doubt."""
    if at is None:
        return SafeString("–")
    return format_html(
        '<time class="wk-time" datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        times.exact(at),
        times.short(at, timezone.now()),
    )


@register.simple_tag
def clock(
    due: datetime | None,
    *,
    share_left: float = 1.0,
    state: str = "running",
    label: str = "",
    warn: float = 0.25,
) -> SafeString:
    """A deadline as a ring that empties, and what is left in words.

    share_left  of the target's service time, 0..1; the page goes on counting towards `due`
    state       running, paused (grey, stands still), met (tick), missed (solid, done too late)
    warn        below this share the ring turns amber
    """
    if due is None:
        return SafeString("–")
    now = timezone.now()
    over = due <= now
    share = 0.0 if over else min(max(share_left, 0.0), 1.0)
    words = {
        "paused": gettext("paused"),
        "met": gettext("in time"),
        "missed": gettext("missed"),
    }.get(state) or times.left(due, now)
    tone = state if state != "running" else "over" if over else "near" if share < warn else "running"
    return format_html(
        '<span class="wk-clock wk-clock-{}" data-clock="{}" data-due="{}" data-share="{}" data-warn="{}" title="{}">'
        '<svg viewBox="0 0 20 20" aria-hidden="true"><circle class="wk-clock-track" cx="10" cy="10" r="7"/>'
        '<circle class="wk-clock-left" cx="10" cy="10" r="7" pathLength="100" stroke-dasharray="{} 100"/></svg>'
        '<span class="wk-clock-words">{}{}</span></span>',
        tone,
        state,
        due.isoformat(),
        f"{share:.4f}",
        warn,
        gettext("due {time}").format(time=times.exact(due)),
        100 if over or state in {"met", "missed"} else round(share * 100),
        f"{label} " if label else "",
        words,
    )


@register.simple_tag(takes_context=True)
def link_with(context: template.Context, **changes: Any) -> str:
    """This page's address with some query parameters set; None, "" or False takes one out."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, "", False):
            query[name] = str(value)
    # Another filter or order makes the old place in the list meaningless.
    if "cursor" not in changes:
        query.pop("cursor", None)
    return f"?{query.urlencode()}" if query else "?"


@register.filter
def text_of(pattern: str, n: object) -> str:
    """Fills {n} of a translated pattern."""
    return pattern.replace("{n}", str(n))


# How the workflow's tone of a state is shown.
STATE_TONES = {"new": "open", "active": "accent", "waiting": "waiting", "done": "done"}


@register.simple_tag
def record_state(record: Any) -> SafeString:
    """The state of a record as a chip, in the words of its own workflow."""
    state = flow_of(record).state(record.state)
    return chip(gettext(state.title), STATE_TONES.get(state.tone, "plain"))


@register.simple_tag
def chip_state(record: Any, name: str) -> SafeString:
    """A state named in the journal, as a chip."""
    state = flow_of(record).state(name)
    return chip(gettext(state.title), STATE_TONES.get(state.tone, "plain"))


@register.simple_tag
def record_url(record: Any) -> str:
    """The page of a record, by its kind."""
    return reverse("record", args=[f"{record.kind}s", record.pk])


@register.simple_tag
def ci_url(ci_id: int) -> str:
    return reverse("ci", args=[ci_id])


@register.simple_tag
def alarm_url(alarm_id: int) -> str:
    return reverse("alarm", args=[alarm_id])


@register.simple_tag
def share_left(used: float) -> float:
    """What a clock ring shows of a used share."""
    return max(0.0, 1.0 - used)


@register.filter
def unlocalized(value: float) -> str:
    """A number as HTML attributes want it, whatever the language."""
    return f"{min(value, 1.0):.4f}"


@register.simple_tag
def typed_value(typed: Mapping[str, str], name: str) -> str:
    """What was typed into a field before the form came back; "" at the first time."""
    return typed.get(name, "")


FIELD_TITLES = {
    "title": _("Title"),
    "description": _("Description"),
    "team": _("Team"),
    "assignee": _("Assignee"),
    "ci": _("Configuration item"),
    "service": _("Service"),
    "category": _("Category"),
    "place": _("Place"),
    "priority": _("Priority"),
    "priority_why": _("Why this priority"),
    "second_person": _("Second person"),
    "attachment": _("File"),
    "link": _("Link"),
    "requester": _("Requester"),
    "requester_name": _("Requester"),
    "requester_phone": _("Phone"),
}


@register.simple_tag
def field_title(record: Any, name: str) -> str:
    """What a changed field is called: the record's own, or an answer of one of its moves."""
    if name in FIELD_TITLES:
        return gettext(FIELD_TITLES[name])
    for step in flow_of(record).moves:
        for rule in step.fields:
            if rule.name == name:
                return gettext(rule.title)
    return name


@register.simple_tag
def field_value(record: Any, name: str, value: Any) -> str:
    """A changed value: the title of a choice, a time as people read it, else as it is."""
    if value is None:
        return "–"
    for step in flow_of(record).moves:
        for rule in step.fields:
            if rule.name != name:
                continue
            if rule.type == "datetime":
                return times.exact(datetime.fromisoformat(str(value)))
            for code, title in rule.choices:
                if code == value:
                    return gettext(title)
    return str(value)


@register.filter
def cut_words(text: str) -> list[str]:
    """The words of a literal, for a loop over a fixed handful."""
    return text.split()
