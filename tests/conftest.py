"""What all tests share."""

import signal
from collections.abc import Generator

import pytest
from hypothesis import settings
from missing import missing

from ernn.tools import INSTALL, find

# Machines are shared and noisy: how long an example takes says nothing about the code.
settings.register_profile("ernn", deadline=None)
settings.load_profile("ernn")

# A shell starts background jobs deaf to Ctrl-C, and processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is missing, or fail it where every tool is expected."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            if find(name) is None:
                missing(f"{name} is missing or too old: {INSTALL[name]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let pytest-xdist send what a test printed, names of folders that are no UTF-8 among it."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode("utf-8"))
        for title, text in report.sections
    ]
    return report
