"""Recordings of real devices, replayed through decode."""

import json
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from tests.snmp_recording import answers
from wardkeeper.acquisition.adapters.snmp_poll import decode, inventory, oid, profile
from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.text import text

SAMPLES = Path(decode.__file__).parent / "samples"


def told(raw: bytes) -> dict[str, Any]:
    """What the recording comes to: the description, and the series of a first poll; null for NaN."""
    said = answers(raw)
    own = profile.profile_of(text(said.get(oid.SYS_OBJECT_ID)))
    found = inventory.inventory(said, own.keys(said) if own else ())
    plan = decode.plan(found)
    columns = Columns()
    now = decode.octets(plan, said, received_s=0.0, sent_s=0.0)
    decode.measure(plan, said, now, None, columns)
    return {
        "attributes": dict(found.system),
        "components": [
            f"{each.kind} {each.instance} {each.name!r} {dict(each.attributes)}"
            for each in found.components()
        ],
        "asked": plan.asked,
        "missing": decode.missing(plan, said),
        "series": {name: None if isnan(value) else value for name, value in columns.as_mapping().items()},
    }


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.snmprec")), ids=lambda path: path.stem)
def test_recording_of_a_device_gives_the_expected_series(path):
    assert told(path.read_bytes()) == json.loads(path.with_suffix(".json").read_text("utf-8"))
