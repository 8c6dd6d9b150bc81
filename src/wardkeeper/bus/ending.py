"""Ends tasks that wait for the NATS client."""

import asyncio
from typing import Any

_CANCEL_AGAIN_S = 0.2


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels until all are done; what they raise is not looked at.

    Up to Python 3.11 `asyncio.wait_for`, by which the NATS client waits, swallows a cancellation that
    meets the result (CPython gh-86296): the task then goes on, and one cancel would be waited for for ever.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
