"""The processes that `tests/integration/bus/test_killing.py` kills: `python -m tests.bus_processes work|relay`.

`work` is the real work role with one subscription, whose handler writes a row per message
into `bus_test_effect`; `relay` is a second relay that stands by.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - models need the set-up
from procrastinate.contrib.django import app as jobs  # noqa: E402

from wardkeeper import bus  # noqa: E402
from wardkeeper.bus import Subscription, worker  # noqa: E402
from wardkeeper.bus.outbox import once  # noqa: E402
from wardkeeper.bus.relay import Relay  # noqa: E402
from wardkeeper.messages import ContactLogged, Message  # noqa: E402
from wardkeeper.settings import current  # noqa: E402


@transaction.atomic
def take_effect(messages: Sequence[Message]) -> None:
    fresh = [each for each in once("test.effects", messages) if isinstance(each, ContactLogged)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bus_test_effect (key, number) SELECT * FROM unnest(%s::int[], %s::int[])",
            [[each.contact for each in fresh], [each.record for each in fresh]],
        )


EFFECTS = Subscription(topics=(ContactLogged,), group="test.effects", handle=take_effect, batch=100)


async def relay() -> None:
    carrier = await bus.connect(current().bus)
    await Relay(carrier).run(asyncio.Event())


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        asyncio.run(relay())
    else:
        logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(message)s")
        jobs.periodic_registry.periodic_tasks.clear()  # of rooms whose tables are not in this database
        worker.subscriptions = lambda: {"effects": EFFECTS}
        sys.exit(worker.main())
