"""What a test does that cannot run here: users skip it, CI, which has everything, fails."""

import os

import pytest


def missing(reason: str) -> None:
    """Skip the running test, or fail it where every tool is expected."""
    verdict = pytest.fail if os.environ.get("ERNN_REQUIRE_TOOLS") else pytest.skip
    verdict(reason)
