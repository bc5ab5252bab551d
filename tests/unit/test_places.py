"""Places: whatever a user's folders are called or allow, programs get one that they can use."""

import os
from pathlib import Path

import pytest

from ernn import places
from ernn.errors import ToolError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of the test's own, and a place for temporary files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(places, "_temporary", lambda: [temporary])
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/a/b-1.2/c_d@e+f,g", True),
        ("/tïny/語", True),
        *((f"/a{sign}b", False) for sign in " \t\n#:$;&|<>()*?[]{}'\"\\`!~%=\udcef"),
    ],
)
def test_plain(name, expected):
    assert places.plain(Path(name)) is expected


def test_the_cache_is_in_the_users_own(home):
    assert places.cache_folder() == home / "cache" / "ernn"


def test_a_home_that_cannot_be_written(home, tmp_path, monkeypatch):
    (home / "cache").parent.mkdir()
    (home / "cache").write_text("a file, which no user can make folders in, root neither")
    found = places.cache_folder()
    assert found == tmp_path / "temporary" / f"ernn-{os.getuid()}"
    assert found.stat().st_mode & 0o777 == 0o700


def test_a_home_with_a_space(home, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my home"))
    assert places.cache_folder().parent == tmp_path / "temporary"


def test_a_folder_that_others_can_write_is_not_trusted(home, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my home"))
    (tmp_path / "temporary" / f"ernn-{os.getuid()}").mkdir()
    (tmp_path / "temporary" / f"ernn-{os.getuid()}").chmod(0o777)
    with pytest.raises(ToolError, match="set TMPDIR to a short path of letters and digits"):
        places.cache_folder()


def test_an_alias_leads_to_the_same_place(home, tmp_path):
    odd = tmp_path / "#1 of 2"
    odd.mkdir()
    link = places.alias(odd)
    assert places.plain(link) and link.resolve() == odd
    assert places.alias(odd) == link
    assert places.alias(tmp_path) == tmp_path
    link.unlink()
    link.symlink_to(tmp_path)  # as an earlier installation may have left it
    assert places.alias(odd).resolve() == odd


def test_an_alias_of_a_long_path_is_short(home, tmp_path):
    deep = tmp_path / ("long" * 50)
    deep.mkdir()
    shortest = len(str(home / "cache" / "ernn")) + 17
    link = places.alias(deep, shortest)
    assert len(str(link)) == shortest and link.resolve() == deep
    with pytest.raises(ToolError, match="set TMPDIR"):
        places.alias(deep, shortest - 1)


@pytest.mark.parametrize("name", ["plain", "with space"])
def test_what_a_program_makes_arrives(home, tmp_path, name):
    folder, file = tmp_path / name, tmp_path / "file"
    file.write_text("read")
    folder.mkdir()
    (folder / "old").touch()
    with places.plain_copy([file], folder / "made") as (files, made):
        assert places.plain(made) and all(map(places.plain, files))
        (made / "result").write_text(files[0].read_text())
    assert (folder / "made" / "result").read_text() == "read"
    assert not list((tmp_path / "temporary").iterdir()), "nothing is left behind"


def test_where_no_program_can_work(home, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_temporary", lambda: [tmp_path / "not there"])
    with (
        pytest.raises(ToolError, match="no folder for temporary files can be used"),
        places.plain_copy([], tmp_path / "with space"),
    ):
        pass
