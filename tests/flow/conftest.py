"""Places where the tests of the search train."""

import pytest


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two nodes on this machine."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    found.add_node(num_cpus=1)
    yield found
    found.shutdown()
