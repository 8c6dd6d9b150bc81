"""Tries credentials before a device is saved, and says in one code what is wrong with them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from wardkeeper.acquisition.adapters.snmp_poll import oid
from wardkeeper.acquisition.adapters.snmp_poll.config import Config
from wardkeeper.acquisition.adapters.snmp_poll.session import Answers, Trouble, Unanswered, opened
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.text import text

QUESTIONS = (oid.SYS_NAME, oid.SYS_DESCR, oid.SYS_OBJECT_ID, oid.SYS_UP_TIME)


class Reason(StrEnum):
    """Stable codes, to be translated by whoever shows them.

    timeout         nothing came back: wrong address, a firewall, or no SNMP there. With v1 and
                    v2c also a wrong community, if the device speaks neither v1, v2c nor v3 otherwise
    refused         the host is there, and nothing listens on that port
    unknown_host    the name does not resolve
    network         the operating system cannot send there
    protocol        something answers that is not SNMP
    collector       our own machine has no sockets or memory left
    community       the device is there and does not accept this community
    wrong_version   it answers these credentials in the version named in `detail`
    authentication  v3: wrong user, authentication protocol or password, or level; agents do not say which
    privacy         v3: authentication is right, the privacy protocol or password is not
    no_access       credentials are right, but they may not read the system group
    misconfigured   `detail` says what is impossible
    """

    OK = ""
    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNKNOWN_HOST = "unknown_host"
    NETWORK = "network"
    PROTOCOL = "protocol"
    COLLECTOR = "collector"
    COMMUNITY = "community"
    WRONG_VERSION = "wrong_version"
    AUTHENTICATION = "authentication"
    PRIVACY = "privacy"
    NO_ACCESS = "no_access"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of it. `sysname` and `description` are the device's own words, empty unless `ok`."""

    __test__ = False  # or pytest takes the class for tests

    ok: bool
    reason: Reason
    sysname: str = ""
    description: str = ""
    object_id: str = ""
    detail: str = ""


async def test(config: Mapping[str, Any], secrets: Mapping[str, Any]) -> TestResult:
    """Asks the device who it is. Takes at most four request time-outs (8 s); raises nothing.

    config   as a Target has it: host, port, version, user ...
    secrets  opened: community, auth_password, priv_password
    """
    try:
        wanted = configure(Config, {**config, **secrets})
    except ConfigError as error:
        return TestResult(ok=False, reason=Reason.MISCONFIGURED, detail=str(error))
    try:
        answers = await _ask(wanted)
    except Unanswered as error:
        if error.trouble is Trouble.TIMEOUT and wanted.version != "3":
            return await _other_ways(wanted)
        return TestResult(ok=False, reason=Reason(str(error.trouble)))
    if not answers:
        return TestResult(ok=False, reason=Reason.NO_ACCESS)
    return TestResult(
        ok=True,
        reason=Reason.OK,
        sysname=text(answers.get(oid.SYS_NAME)),
        description=text(answers.get(oid.SYS_DESCR)),
        object_id=text(answers.get(oid.SYS_OBJECT_ID)),
    )


async def _ask(config: Config) -> Answers:
    session = await opened(config)
    return await session.get(QUESTIONS)


async def _other_ways(config: Config) -> TestResult:
    """An agent is silent on a community that it does not know. Whether one is there shows in other versions.

    v3 answers a stranger's question for its engine (RFC 3414 section 4), so silence there too means that
    nobody is at home, or that the device speaks only v1 and v2c.
    """
    other: Literal["1", "2c"] = "1" if config.version == "2c" else "2c"
    once = replace(config, retries=0)
    in_other, in_v3 = await asyncio.gather(
        _is_heard(replace(once, version=other)),
        _is_heard(replace(once, version="3", user="wardkeeper", auth_protocol="", priv_protocol="")),
    )
    if in_other is Trouble.NONE:
        return TestResult(ok=False, reason=Reason.WRONG_VERSION, detail=other)
    if in_v3 in {Trouble.NONE, Trouble.AUTHENTICATION}:
        return TestResult(ok=False, reason=Reason.COMMUNITY)
    return TestResult(ok=False, reason=Reason.TIMEOUT)


async def _is_heard(config: Config) -> Trouble:
    try:
        await _ask(config)
    except Unanswered as error:
        return error.trouble
    return Trouble.NONE
