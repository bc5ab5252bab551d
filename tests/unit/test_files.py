"""Files are whole or not there, and hold numbers."""

import numpy as np
import pytest

from ernn.errors import CorpusError, ModelFileError, ProjectError
from ernn.files import read_arrays, write_arrays, write_text, write_whole

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


def test_text_is_utf_8_whatever_a_file_is_called(tmp_path):
    path = tmp_path / "t\udcefny.txt"
    write_text(path, f"ʃ in {path.name}")
    assert path.read_text(encoding="utf-8") == "ʃ in t\\udcefny.txt"


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
