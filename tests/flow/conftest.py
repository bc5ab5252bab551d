"""Runs and places that several tests need."""

import fcntl
import os
import shlex
from pathlib import Path

import pytest
from pages import IN_THIS_ENVIRONMENT, ROOT, first_commands, require_success


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """The README's first command with the recipe tiny, one run for all processes of pytest-xdist.

    Not to be changed; what the command printed lies beside it, in tiny.log.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    out, log = shared / "tiny", shared / "tiny.log"
    with (shared / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            place = f"RECIPE=tiny OUT={shlex.quote(str(out))}"
            demo = f"{first_commands()[0]} {IN_THIS_ENVIRONMENT} {place}"
            log.write_text(require_success(demo, ROOT))
    return out


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two nodes on this machine."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    found.add_node(num_cpus=1)
    yield found
    found.shutdown()
