"""One SNMP conversation with one device: v1, v2c or v3, retried, its failures named.

gufo-snmp speaks the protocol. What it leaves to us: host names, retries, telling
"refused" from "no answer", and the objects that it drops silently from an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import StrEnum
from math import inf
from typing import TypeVar

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    DesKey,
    KeyExpansion,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    SnmpAuthError,
    SnmpError,
    SnmpVersion,
    User,
)
from gufo.snmp.aio import SnmpSession

from wardkeeper.acquisition.adapters.snmp_poll.config import Config
from wardkeeper.acquisition.address import UnknownHost, resolved
from wardkeeper.acquisition.shortage import is_shortage

Value = int | float | str | bytes | None
Answers = dict[str, Value]
"""Object identifier without leading dot -> value. What was not answered is not in it."""

T = TypeVar("T")

AUTH = {
    "md5": Md5Key,
    "sha": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
PRIVACY = {"des": DesKey, "aes": Aes128Key, "aes192": Aes192Key, "aes256": Aes256Key}

ROWS_PER_REQUEST = 48
"""48 counters of 64 bits make about 1,430 bytes, just under an Ethernet frame: no fragments."""

TEXT_ROWS_PER_REQUEST = 16
"""An ifAlias may be 64 bytes; gufo-snmp's buffer ends near 4 kB."""

OBJECTS_PER_GET = 24
MOST_ROWS = 8192
"""The longest column that is read; the largest chassis and WLAN controllers have about 4,000 interfaces."""


class Trouble(StrEnum):
    """Why a device gave no answer. Stable codes: they are counted and translated."""

    NONE = ""
    TIMEOUT = "timeout"
    REFUSED = "refused"
    AUTHENTICATION = "authentication"
    PRIVACY = "privacy"
    UNKNOWN_HOST = "unknown_host"
    NETWORK = "network"
    PROTOCOL = "protocol"
    COLLECTOR = "collector"
    """Our own machine has no socket or memory left: this says nothing about the device."""


_WORTH_A_RETRY = frozenset((Trouble.TIMEOUT, Trouble.PRIVACY, Trouble.PROTOCOL))


class Unanswered(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


class Session:
    """Open it with `opened`; close by letting go of it. One request at a time.

    until_s  by the event loop's clock: no request begins later, and what is under way
             then counts as unanswered. A time-out around the caller is not enough: before
             Python 3.12 `asyncio.wait_for`, on which gufo-snmp waits, can swallow a
             cancellation that arrives together with an answer (python/cpython#86296).
    """

    def __init__(self, config: Config, address: str) -> None:
        self._config = config
        self._is_new = True
        self.until_s = inf
        self._bulk = config.version != "1"
        # The socket is not kept open by anything else: it closes with the last reference.
        self._snmp = SnmpSession(
            address,
            port=config.port,
            community=config.community,
            user=_user(config) if config.version == "3" else None,
            version={"1": SnmpVersion.v1, "2c": SnmpVersion.v2c, "3": SnmpVersion.v3}[config.version],
            timeout=config.request_timeout_s,
        )

    async def begin(self) -> None:
        """v3: learn the device's engine and clock, proving user and keys. Raises Unanswered."""
        await self._ask(self._snmp.refresh)

    async def get(self, objects: Sequence[str]) -> Answers:
        """The values of single objects. Raises Unanswered."""
        answers: Answers = {}
        for chunk in _chunks(objects, OBJECTS_PER_GET):
            answers.update(await self._get(chunk))
        return answers

    async def column(self, column: str, rows: int, answers: Answers, *, text: bool = False) -> int:
        """Reads a column into `answers` and returns the number of values.

        rows  how many to expect: reading stops there, so that a full answer is not
              followed by a request that only finds the end. 0: to the end
        Raises Unanswered; what had arrived by then is in `answers`.
        """
        limit = rows or MOST_ROWS
        page = TEXT_ROWS_PER_REQUEST if text else ROWS_PER_REQUEST
        # Equal pages: 52 rows are asked as 26 + 26, not 48 + 48 of which 44 are of no use.
        pages = -(-limit // page)
        walk = self._snmp.getbulk(column, -(-limit // pages)) if self._bulk else self._snmp.getnext(column)
        count = 0

        async def read_on() -> None:
            nonlocal count
            async for key, value in walk:
                if key in answers:
                    # Some agents answer with an object that is not further on; without
                    # this the walk would never end.
                    return
                answers[key] = value
                count += 1
                if count >= limit:
                    return

        # After a lost answer the walk goes on where it was, so a retry repeats one request.
        await self._ask(read_on)
        return count

    async def rows(self, column: str, indexes: Sequence[str], answers: Answers) -> int:
        """Reads the rows that are known. A walk over v2c and v3; v1 has no GETBULK, so many are asked by name."""
        if self._bulk:
            return await self.column(column, len(indexes), answers)
        got = await self.get([f"{column}.{index}" for index in indexes])
        answers.update(got)
        return len(got)

    async def _get(self, objects: Sequence[str]) -> Answers:
        answers: Answers = await self._ask(lambda: self._snmp.get_many(objects))
        if answers or len(objects) == 1:
            return answers
        # v1 refuses the whole request for one object that it lacks, and any version
        # may answer tooBig; gufo-snmp shows both as an empty answer.
        middle = len(objects) // 2
        return {**await self._get(objects[:middle]), **await self._get(objects[middle:])}

    async def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        """`request`, made again after silence or nonsense. Raises Unanswered."""
        retries = self._config.retries
        while True:
            try:
                answer = await self._once(request)
            except Unanswered as error:
                if error.trouble not in _WORTH_A_RETRY or not retries:
                    raise
                retries -= 1
            else:
                self._is_new = False
                return answer

    async def _once(self, request: Callable[[], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        started = clock()
        if started >= self.until_s:
            raise Unanswered(Trouble.TIMEOUT)
        try:
            return await request()
        except TimeoutError as error:
            # gufo-snmp reports a refusal (ICMP port unreachable) as a timeout that comes at once.
            at_once = clock() - started < self._config.request_timeout_s / 2
            raise Unanswered(Trouble.REFUSED if at_once else self._silence()) from error
        except SnmpAuthError as error:
            raise Unanswered(Trouble.AUTHENTICATION) from error
        except SnmpError as error:
            # Not SNMP, or cut off: as good as lost.
            raise Unanswered(Trouble.PROTOCOL) from error
        except OSError as error:
            raise Unanswered(_whose(error)) from error
        except BaseException as error:
            if not _is_panic(error):
                raise
            raise Unanswered(Trouble.PROTOCOL) from error

    def _silence(self) -> Trouble:
        """What it means that nothing came back.

        A v3 agent tells a stranger its engine, refuses a wrong user or authentication
        key aloud, and drops without a word what it cannot decrypt.
        """
        is_private = self._config.version == "3" and self._config.priv_protocol
        if is_private and self._is_new and self._snmp.get_engine_id():
            return Trouble.PRIVACY
        return Trouble.TIMEOUT


def _whose(error: OSError) -> Trouble:
    return Trouble.COLLECTOR if is_shortage(error) else Trouble.NETWORK


def _is_panic(error: BaseException) -> bool:
    """Whether gufo-snmp's Rust core gave up: 0.13 does on an answer that is cut off inside a header.

    pyo3 makes that an exception beside Exception, whose class cannot be imported; let
    through, one bad datagram would end the polling of its device for good.
    """
    return type(error).__name__ == "PanicException"


async def opened(config: Config, *, until_s: float = inf) -> Session:
    """A session that is ready for requests until then. Raises Unanswered."""
    try:
        session = Session(config, await resolved(config.host))
    except UnknownHost as error:
        raise Unanswered(Trouble.UNKNOWN_HOST) from error
    except OSError as error:
        raise Unanswered(_whose(error)) from error
    session.until_s = until_s
    await session.begin()
    return session


def _user(config: Config) -> User:
    auth = AUTH[config.auth_protocol](config.auth_password.encode()) if config.auth_protocol else None
    privacy = PRIVACY[config.priv_protocol](config.priv_password.encode()) if config.priv_protocol else None
    expansion = KeyExpansion.Cisco if config.key_expansion == "cisco" else KeyExpansion.Blumenthal
    return User(config.user, auth_key=auth, priv_key=privacy, key_expansion=expansion)


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
