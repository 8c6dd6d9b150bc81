"""What rooms declare is found, and two that would share a position are refused."""

import sys
import types

import pytest

from wardkeeper.bus import Subscription
from wardkeeper.bus.worker import DuplicateGroup, subscriptions
from wardkeeper.messages import ContactLogged


def test_every_group_is_declared_once_and_names_its_topics():
    known = subscriptions()
    assert len({each.group for each in known.values()}) == len(known)
    assert all(each.topics for each in known.values())


def test_two_subscriptions_of_one_group_are_refused(monkeypatch):
    module = types.ModuleType("wardkeeper.bus.handlers")
    module.__spec__ = types.SimpleNamespace(name=module.__name__)
    one = Subscription((ContactLogged,), "same", print)
    module.SUBSCRIPTIONS = {"a": one, "b": one}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(DuplicateGroup, match="same"):
        subscriptions()
