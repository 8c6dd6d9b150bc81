"""A task that swallows a cancellation, as asyncio.wait_for of Python 3.11 does in a race, is ended all the same."""

import asyncio

from wardkeeper.bus.ending import end


async def test_a_swallowed_cancellation_is_repeated():
    swallowed = []

    async def stubborn():
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if len(swallowed) == 2:
                    raise
                swallowed.append(True)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(end(task), 5)
    assert task.cancelled()
    assert len(swallowed) == 2


async def test_what_a_task_raises_is_not_looked_at():
    async def failing():
        raise OSError("gone")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end(task)
    assert isinstance(task.exception(), OSError)


async def test_no_task_is_no_trouble():
    await end()
