import time

import numpy as np
import pytest

from wardkeeper.aggregation.metric import services
from wardkeeper.aggregation.metric.models import Poll
from wardkeeper.messages import SamplesCollected

pytestmark = pytest.mark.django_db


def test_a_batch_is_stored():
    now = time.time_ns() // 1_000_000
    series = "device.reachable\ninterface.down{1}\nhost.cpu_share"
    messages = [
        SamplesCollected(
            collector="c",
            target="t",
            ci=7,
            series=series,
            times_ms=(now - 60_000 * (5 - at),),
            values=np.array([1.0, 0.0, 0.5 + at]).tobytes(),
            interval_s=60.0,
        )
        for at in range(5)
    ]
    services.store(messages, now_ms=now)
    services.store(messages, now_ms=now)
    assert Poll.objects.count() == 5
