"""Records through the API of a running house with 1,000,000 records, 300 of each 10,000 still open.

`create_per_s`: POST /api/v1/incidents by 8 clients, each answered with its number and priority. `queue_p95_ms`:
the first page of open records by deadline; `search_p95_ms`: searches of common and rare Chinese words, of Latin
words and of numbers, mixed; one client, the answer read whole. The house's own workers go on meanwhile.
"""

import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterable

import httpx

from wardkeeper.cli.bench import _house

SETTINGS = {"records": 1_000_000, "open_share": 0.03, "clients": 8}
_RECORDS = 1_000_000
_CREATE = 600
_CLIENTS = 8
_ASKED = 100
_WORDS = ("打印", "断网", "卡纸", "急诊", "检验 条码", "HIS", "医保 接口", "叫号屏", "无线", "血库")


def run(scale: float) -> dict[str, float]:
    """The figures; `scale` multiplies the number of records that are there before."""
    with _house.running() as house:
        count = max(int(_RECORDS * scale), 100)
        place = int(house.call("wardkeeper.cli.bench._records_run", str(count)).splitlines()[-1])
        headers = {"Authorization": f"Bearer {house.token()}"}
        with httpx.Client(base_url=house.url, headers=headers, timeout=60, trust_env=False) as client:
            queue = _p95(lambda _n: client.get("/api/v1/records?open=true&sort=due"), range(_ASKED))
            search = _p95(
                lambda n: client.get("/api/v1/records", params={"q": _WORDS[n % len(_WORDS)]}), range(_ASKED)
            )
            created = _create(house.url, headers, place)
    return {"create_per_s": created, "queue_p95_ms": queue, "search_p95_ms": search, "records": float(count)}


def _p95(ask: Callable[[int], httpx.Response], numbers: Iterable[int]) -> float:
    times = []
    for number in numbers:
        started = time.perf_counter()
        ask(number).raise_for_status()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.quantiles(times, n=20)[-1]


def _create(url: str, headers: dict[str, str], place: int) -> float:
    def work(count: int) -> None:
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            for _ in range(count):
                body = {
                    "submission": str(uuid.uuid4()),
                    "title": "打印机卡纸",
                    "place": place,
                    "category": "HW-PRN",
                }
                client.post("/api/v1/incidents", json=body).raise_for_status()

    threads = [threading.Thread(target=work, args=(_CREATE // _CLIENTS,)) for _ in range(_CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _CREATE / (time.perf_counter() - started)
