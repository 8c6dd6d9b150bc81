"""Every test of the clocks has a hospital."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.hospital import Hospital


@pytest.fixture
def place(db: None) -> "Hospital":
    from tests.integration import hospital

    return hospital.build()
