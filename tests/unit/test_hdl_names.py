"""Prefixes of packages: what is refused, as fields."""

import pytest

from ernn.errors import ProjectError
from ernn.hdl.names import LONGEST, require_prefix


@pytest.mark.parametrize("prefix", ["", "9lives", "a__b", "a_", "x" * (LONGEST + 1)])
def test_a_prefix_that_is_no_identifier_is_refused(prefix):
    with pytest.raises(ProjectError) as told:
        require_prefix(prefix)
    fault = told.value.fault
    assert fault.what == f"prefix {prefix!r} cannot begin the names of modules"
    assert fault.remedy.startswith("give a letter, then letters, digits and single underscores")
    assert require_prefix("a1_b") == "a1_b"
