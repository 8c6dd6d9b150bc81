"""The `room` fixture; imported late, because Django is set up after conftest files are read."""

import pytest


@pytest.fixture
def room(db, django_capture_on_commit_callbacks):
    from tests.integration.metric.room import Room

    made = Room(django_capture_on_commit_callbacks)
    made.restart()
    yield made
    made.restart()
