"""Files are whole or not there, and hold numbers."""

import numpy as np
import pytest

from ernn.errors import CorpusError, ModelFileError, PlanError, ProjectError, ToolError
from ernn.files import filling, read_arrays, write_arrays, write_text, write_whole

ARRAYS = {"a": np.arange(6).reshape(2, 3).T, "scalar": np.array(3.5)}


def test_arrays_come_back(tmp_path):
    path = tmp_path / "a.safetensors"
    write_arrays(path, ARRAYS, {"format": "test-1", "note": [1, "two"]})
    arrays, header = read_arrays(path, "test-1", "write it again")
    assert header == {"format": "test-1", "note": [1, "two"]}
    for name, value in ARRAYS.items():
        assert arrays[name].shape == value.shape
        assert (arrays[name] == value).all()


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\xff" * 64, b"{}", None])
def test_what_is_no_file_of_arrays(tmp_path, content):
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"a\.safetensors is not a readable .*; write it again"):
        read_arrays(path, "test-1", "write it again", CorpusError)


def test_a_truncated_file(tmp_path):
    path = tmp_path / "a.safetensors"
    write_arrays(path, ARRAYS, {"format": "test-1"})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelFileError, match="not a readable"):
        read_arrays(path, "test-1", "write it again")


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "a.safetensors"
    write_arrays(path, ARRAYS, {"format": "other-1"})
    with pytest.raises(ModelFileError, match="is no test-1 file of ernn; write it again"):
        read_arrays(path, "test-1", "write it again")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(partial):
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ProjectError, match=r"a\.txt cannot be written.*No space left"):
        write_whole(path, full)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


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
    for name, sentence in (
        ("file", "is a file; give a folder as --out"),
        ("full", "is not empty and holds no build of ernn; give a new --out"),
        ("file/deep", "cannot be made .*; give another folder as --out"),
    ):
        with pytest.raises(ProjectError, match=sentence):
            fill(tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "thesis.tex"]


def test_two_at_one_folder(tmp_path):
    with filling(tmp_path / "a", "mark.json", "build") as work:
        (work / "mark.json").write_text("first")
        with pytest.raises(ProjectError, match=r"another ernn is working in .*a\.part"):
            fill(tmp_path / "a")
    assert (tmp_path / "a" / "mark.json").read_text() == "first"
