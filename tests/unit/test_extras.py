"""Extras: a package that is missing is named with what brings it, any other fault is itself."""

import sys

import pytest

from ernn.errors import ToolError
from ernn.extras import EXTRAS, extras_explained


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_package_is_one_sentence(extra, monkeypatch):
    purpose, modules = EXTRAS[extra]
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
        with (
            pytest.raises(ToolError, match=rf"^{module}, which {purpose}, .*ernn\[{extra}\]'$"),
            extras_explained(),
        ):
            __import__(module)


def test_a_package_of_no_extra_is_a_fault():
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"), extras_explained():
        __import__("nothing_of_that_name")
