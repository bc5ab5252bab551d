"""Simulators and build folders of the hardware tests."""

import re
from pathlib import Path

import pytest

ICARUS = pytest.param("icarus", marks=pytest.mark.needs("iverilog"))
VERILATOR = pytest.param(
    "verilator", marks=pytest.mark.needs("verilator", "g++", "make", "perl"), id="verilator"
)


@pytest.fixture(params=[VERILATOR, ICARUS])
def simulator(request: pytest.FixtureRequest) -> str:
    """Every simulator in turn."""
    return request.param


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    """A folder of this test that outlives it, so that only changed hardware is built again."""
    name = re.sub(r"\W+", "-", request.node.nodeid.partition("/")[2]).strip("-")
    return request.config.cache.mkdir(name)
