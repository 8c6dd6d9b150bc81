"""One connection to NATS, and the streams that every carrier and reader on it needs."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from wardkeeper.settings.schema import Bus

_log = logging.getLogger(__name__)

T = TypeVar("T")

TROUBLE = (NatsError, TimeoutError, OSError)
"""What can go wrong between us and a server that may come back."""

_REQUEST_S = 5.0

_DAY_S = 86_400
# Days kept and bytes at most, by family. A full stream refuses (the outbox and the spool keep what is
# new) rather than dropping what nobody has read; `trim` makes room as soon as all groups are done.
_LIMITS = {"samples": (3, 4 << 30), "observations": (3, 4 << 30)}
_USUAL_LIMIT = (30, 1 << 30)
_LEAST_BYTES = 64 << 20

# Source: nats-server, server/errors.json
_NAME_IN_USE = 10058
_NO_STORAGE = (10023, 10028, 10047)


class Link:
    """One connection. Reconnects for ever; what waits for an answer fails as soon as the connection breaks."""

    def __init__(self, settings: Bus) -> None:
        self.prefix = settings.prefix
        self.replicas = settings.replicas
        self.client = Client()
        self.jetstream: JetStreamContext = self.client.jetstream(timeout=_REQUEST_S)
        self.connected = asyncio.Event()
        self.on_loss: set[Callable[[], None]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._streams: set[str] = set()
        self._making = asyncio.Lock()

    async def connect(self, url: str) -> None:
        parts = [urlsplit(each.strip()) for each in url.split(",")]
        await self.client.connect(
            # The client does not decode what is percent-encoded in an address.
            [f"{part.scheme}://{part.hostname}:{part.port or 4222}" for part in parts],
            user=unquote(parts[0].username) if parts[0].username else None,
            password=unquote(parts[0].password) if parts[0].password else None,
            name=self.prefix,
            connect_timeout=3,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]  # typed int, only slept
            ping_interval=10,
            pending_size=32 << 20,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
        )
        self.connected.set()

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs `work` once connected. Raises what it raises, ConnectionResetError if the connection breaks."""
        await self.connected.wait()
        task = asyncio.create_task(work())
        self._waiting.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is None or me.cancelling():
                raise
            raise ConnectionResetError("connection to NATS lost") from None
        finally:
            self._waiting.discard(task)

    async def ensure_stream(self, family: str) -> str:
        """Name of the family's stream; makes it at the first call."""
        name = f"{self.prefix}-{family}"
        async with self._making:
            if name not in self._streams:
                await self._make_stream(name, family)
                self._streams.add(name)
        return name

    def forget_streams(self) -> None:
        """Somebody may have removed one: look again."""
        self._streams.clear()

    async def _make_stream(self, name: str, family: str) -> None:
        days, most = _LIMITS.get(family, _USUAL_LIMIT)
        config = StreamConfig(
            name=name,
            subjects=[f"{self.prefix}.{family}.>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_age=days * _DAY_S,
            max_bytes=most,
            duplicate_window=120,
            num_replicas=self.replicas,
        )
        if family == "positions":
            config = config.evolve(discard=DiscardPolicy.OLD, max_age=None, max_msgs_per_subject=1)
        while True:
            try:
                await self.jetstream.add_stream(config)
            except APIError as error:
                if error.err_code == _NAME_IN_USE:
                    await self._update_stream(config)
                    return
                if error.err_code not in _NO_STORAGE or most < _LEAST_BYTES:
                    raise
                most //= 2
                config = config.evolve(max_bytes=most)
            else:
                return

    async def _update_stream(self, config: StreamConfig) -> None:
        try:
            await self.jetstream.update_stream(config)
        except APIError as error:
            # An operator's own limits, or a disk too small for ours: it works as it is.
            _log.warning("bus.stream_kept name=%s reason=%s", config.name, error.description)

    async def _on_error(self, error: Exception) -> None:
        _log.info("bus.trouble error=%r", error)

    async def _on_disconnect(self) -> None:
        self.connected.clear()
        for task in self._waiting:
            task.cancel()
        if not self.client.is_closed:
            _log.warning("bus.disconnected")

    async def _on_reconnect(self) -> None:
        self.connected.set()
        self.forget_streams()
        for tell in tuple(self.on_loss):
            tell()
        _log.info(
            "bus.reconnected server=%s", self.client.connected_url and self.client.connected_url.hostname
        )
