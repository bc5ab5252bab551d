"""Folders: nobody else's is touched, two processes never share one, and none is half-written."""

import errno
from types import SimpleNamespace

import pytest

from ernn import folders
from ernn.errors import PlanError, ProjectError, ToolError
from ernn.folders import LOCK, filling, locked, own_folder


def fill(place, text="new", error=None):
    with filling(place, "mark.json", "build") as work:
        (work / "mark.json").write_text(text)
        if error:
            raise error


def test_a_folder_takes_its_place_when_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path / "a ü", tmp_path / "new" / "b"):
        for text in ("old", "new"):
            fill(place.relative_to(tmp_path), text)  # a tool runs elsewhere, and needs no less
            assert (place / "mark.json").read_text() == text
            assert [path.name for path in place.parent.glob("*.*")] == []


@pytest.mark.parametrize(
    ("error", "kept"),
    [(ToolError("see its log"), True), (PlanError(), False), (KeyboardInterrupt(), False)],
)
def test_a_folder_that_is_not_whole(tmp_path, error, kept):
    """The old one stays; what a tool said is kept, and the next call begins anew."""
    place, work = tmp_path / "a", tmp_path / "a.part"
    fill(place, "old")
    with pytest.raises(type(error)):
        fill(place, error=error)
    assert (place / "mark.json").read_text() == "old" and work.exists() == kept
    (tmp_path / "a.part" / "left").mkdir(parents=True)
    fill(place)
    assert [path.name for path in place.iterdir()] == ["mark.json"] and not work.exists()


def test_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    for name, what, remedy in (
        ("file", "is a file", "give a folder as --out"),
        (
            "full",
            "holds no build of ernn, but files that ernn did not write",
            "give a new or empty folder as --out",
        ),
        ("file/deep", "cannot be made", "give another folder as --out"),
    ):
        with pytest.raises(ProjectError, match=what) as told:
            fill(tmp_path / name)
        assert told.value.fault.remedy == remedy
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "thesis.tex"]


def test_what_desktops_leave_in_a_folder_is_nobodys_work(tmp_path):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._mark.json"):
        (tmp_path / name).write_bytes(b"\0")
    fill(tmp_path)
    assert (tmp_path / "mark.json").read_text() == "new"


def test_two_at_one_folder(tmp_path):
    with filling(tmp_path / "a", "mark.json", "build") as work:
        (work / "mark.json").write_text("first")
        with pytest.raises(ProjectError, match=r"another ernn is working in .*a\.part"):
            fill(tmp_path / "a")
    assert (tmp_path / "a" / "mark.json").read_text() == "first"


def test_a_folder_of_several_commands_is_guarded_like_one_of_a_single_command(tmp_path):
    """The same sentences, whichever command is refused."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(ProjectError, match="holds no run of ernn, but files that ernn did not"):
        own_folder(tmp_path / "full")
    (tmp_path / "file").write_text("mine")
    for where in ("file", "file/deep"):
        with pytest.raises(ProjectError, match=r"give (a|another) folder as --out"):
            own_folder(tmp_path / where)
    with locked(tmp_path / "run"), pytest.raises(ProjectError, match="another ernn is working"):
        with locked(tmp_path / "run"):
            pass
    with locked(tmp_path / "run"):  # the lock is free again
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]


def test_a_disk_that_fails_while_publishing_leaves_the_old_folder(tmp_path, monkeypatch):
    fill(tmp_path / "a", "old")

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "_sync", full)
    with pytest.raises(OSError):
        fill(tmp_path / "a")
    assert (tmp_path / "a" / "mark.json").read_text() == "old"


@pytest.mark.parametrize(("free", "named"), [(0, "/proc"), (1 << 30, "out")])
def test_a_full_disk_is_the_one_that_is_named(tmp_path, monkeypatch, free, named):
    """Files of a step may be on another disk than temporary ones."""
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("tempfile.tempdir", "/proc")  # a disk of its own
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=free))
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(ProjectError, match=rf"the disk that holds \S*{named} .*is full; free"),
        folders.full_disk_explained(tmp_path / "out"),
    ):
        raise full
