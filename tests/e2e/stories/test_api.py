"""Schemathesis asks the running house everything its description allows, and more."""

import re
import subprocess

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

EXAMPLES = 6


def examined(house, *, token):
    """(exit status, output) of a run that looks for server errors only."""
    command = [
        "schemathesis",
        "run",
        f"{house.url}/api/v1/openapi.json",
        "--checks",
        "not_a_server_error",
        "--max-examples",
        str(EXAMPLES),
        "--phases",
        "examples,coverage,fuzzing",
        "--mode",
        "all",
        "--seed",
        "20261122",
        "--request-timeout",
        "30",
        "--workers",
        "2",
        "--no-color",
        "--generation-database",
        "none",
    ]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run(
        command, env=house.env, cwd=house.data, capture_output=True, text=True, timeout=360, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("who", ["admin", ""])
def test_whatever_is_asked_of_the_api_is_answered_without_a_server_error(house, who):
    status, output = examined(house, token=house.token(who) if who else "")
    assert status == 0, output[-6000:]
    assert re.search(r"Tested: +\d+|test cases", output), output[-3000:]
