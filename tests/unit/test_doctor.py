"""The doctor tells what is there, what is not, what for, and what to do."""

import pytest

from ernn import doctor, tools
from ernn.errors import ToolError


def test_a_missing_needed_tool_is_told_with_its_purpose_and_remedy(monkeypatch):
    monkeypatch.setattr(doctor, "find", lambda name: None)
    findings = doctor.examine()
    text = doctor.describe(findings)
    assert not doctor.healthy(findings)
    for name, purpose in (doctor.NEEDED | doctor.OPTIONAL).items():
        assert name in text
        assert purpose in text
        assert tools.INSTALL[name] in text
    assert text.splitlines()[-1] == "missing: g++, make, perl, verilator"


def test_a_long_version_stays_apart_from_the_purpose():
    long = doctor.Finding("nextpnr-himbaechel-gowin", False, "routes", "0.11.1.0.post826", "here")
    assert "0.11.1.0.post826  optional: routes" in doctor.describe([long])


def test_a_missing_optional_tool_is_no_illness(monkeypatch):
    real = doctor.find
    monkeypatch.setattr(
        doctor, "find", lambda name: None if name in doctor.OPTIONAL else real("make")
    )
    assert doctor.healthy(doctor.examine())


def test_an_old_tool_counts_as_missing(tmp_path, monkeypatch):
    old = tmp_path / "iverilog"
    old.write_text("#!/bin/sh\necho Icarus Verilog version 10.3 '(stable)'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert tools.find("iverilog") is None
    old.write_text("#!/bin/sh\necho Icarus Verilog version 12.0 '(stable)'\n")
    found = tools.find("iverilog")
    assert found is not None
    assert (found.version, found.origin) == ("12.0", "system")


def test_a_broken_tool_counts_as_missing(tmp_path, monkeypatch):
    (tmp_path / "flite").write_text("not a program")
    (tmp_path / "flite").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.find("flite") is None


def test_an_old_system_verilator_gives_way_to_the_package(tmp_path, monkeypatch):
    old = tmp_path / "verilator"
    old.write_text("#!/bin/sh\necho Verilator 5.006 2023-01-22\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = tools.find("verilator")
    assert found is None or found.origin == "Python package"
    old.write_text("#!/bin/sh\necho Verilator 5.038 2025-07-08\n")
    assert tools.require("verilator").path == old


def test_require_says_how_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"flite was not found or is too old; apt install flite"):
        tools.require("flite")


def test_an_extra_is_there_or_told(monkeypatch):
    found = {item.name: item for item in doctor.examine()}
    assert all(found[f"ernn[{extra}]"].version == "" for extra in ("train", "speech", "search"))
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    found = {item.name: item for item in doctor.examine()}
    assert found["ernn[train]"].version is None and not found["ernn[train]"].needed
    assert found["ernn[train]"].where == "pip install 'ernn[train]' (missing: torch)"
