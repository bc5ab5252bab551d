"""Kaldi archives as kaldiio writes them, and as somebody may damage or forge them."""

import os
import pickle
import struct
import tracemalloc

import kaldiio
import numpy as np
import pytest
from deadlines import each
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.speech.archive import (
    Place,
    read_integer_archive,
    read_integers,
    read_matrix,
    read_scp,
)

MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3) / 7


@pytest.fixture
def ark(tmp_path):
    """A matrix at byte 2 of an archive."""
    path = tmp_path / "feats.ark"
    kaldiio.save_ark(str(path), {"u": MATRIX}, scp=str(tmp_path / "feats.scp"))
    return path


@pytest.mark.parametrize(
    ("method", "error"), [(None, 0), (1, 0.03), (2, 0.03), (3, 1e-4), (5, 0.01)]
)
def test_matrices_come_back_compressed_or_not(tmp_path, method, error):
    arrays = {"u": MATRIX, "v": MATRIX[:2] + 1}
    where = str(tmp_path / "a.ark"), str(tmp_path / "a.scp")
    kaldiio.save_ark(where[0], arrays, scp=where[1], compression_method=method)
    for name, place in each(read_scp(tmp_path / "a.scp").items()):
        read = read_matrix(place)
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, arrays[name], atol=error)


def test_doubles_are_matrices_too(ark):
    kaldiio.save_ark(str(ark), {"u": MATRIX.astype(np.float64)})
    assert np.array_equal(read_matrix(Place(ark, 2)), MATRIX)


vectors = st.dictionaries(
    st.text("abcXYZ019_-.é", min_size=1, max_size=20),
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=30),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50, deadline=None)
@given(vectors, st.booleans())
def test_integers_come_back_binary_or_as_text(tmp_path_factory, vectors, text):
    folder = tmp_path_factory.mktemp("ark")
    arrays = {name: np.array(values, np.int32) for name, values in vectors.items()}
    ark, scp = folder / "ali.ark", folder / "ali.scp"
    if text:
        lines = [f"{name} {' '.join(map(str, values))}\n" for name, values in vectors.items()]
        ark.write_text("".join(lines), encoding="utf-8")
    else:
        kaldiio.save_ark(str(ark), arrays, scp=str(scp))
        for name, place in read_scp(scp).items():
            assert read_integers(place).tolist() == vectors[name]
    read = read_integer_archive(ark)
    assert {name: values.tolist() for name, values in read.items()} == vectors


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_give_an_array_or_one_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("ark")
    path = folder / "any.ark"
    method = data.draw(st.sampled_from([None, 2, 3, 5, "integers"]))
    array, kind = (np.arange(9, dtype=np.int32), None) if method == "integers" else (MATRIX, method)
    kaldiio.save_ark(str(path), {"u": array}, compression_method=kind)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(2, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    tracemalloc.start()
    for read in (read_matrix, read_integers):
        try:
            assert isinstance(read(Place(path, 2)), np.ndarray)
        except CorpusError as error:
            assert "no whole binary Kaldi array" in str(error)
    try:
        read_integer_archive(path)
    except CorpusError:
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20  # bytes: what a damaged header announces is not believed


@pytest.mark.parametrize(
    ("rows", "columns"), [(2**31 - 1, 2**31 - 1), (2**30, 1), (-1, 3), (-1, -1)]
)
@pytest.mark.parametrize("kind", [b"FM", b"DM", b"CM", b"CM2", b"CM3"])
def test_absurd_sizes_are_refused_before_memory_is_taken(ark, kind, rows, columns):
    if kind.startswith(b"C"):
        header = struct.pack("<ffii", 0, 1, rows, columns)
    else:
        header = struct.pack("<bibi", 4, rows, 4, columns)
    ark.write_bytes(b"u \0B" + kind + b" " + header + bytes(500))
    with pytest.raises(CorpusError, match="no whole binary Kaldi array at byte 2"):
        read_matrix(Place(ark, 2))


@pytest.mark.parametrize("count", [2**31 - 1, 100, -1, -(2**31)])
def test_an_absurd_count_of_integers_is_refused(ark, count):
    ark.write_bytes(b"u \0B\4" + struct.pack("<i", count) + bytes(50))
    for read in (lambda: read_integers(Place(ark, 2)), lambda: read_integer_archive(ark)):
        with pytest.raises(CorpusError, match="no whole binary Kaldi array"):
            read()


def test_integers_of_another_width_are_refused(ark):
    values = struct.pack("<bibi", 4, 1, 4, 2) + struct.pack("<bi", 8, 3)
    ark.write_bytes(b"u \0B\4" + struct.pack("<i", 3) + values)
    with pytest.raises(CorpusError, match="damaged integers"):
        read_integers(Place(ark, 2))


def test_a_truncated_archive_is_refused(ark):
    whole = ark.read_bytes()
    for size in range(len(whole)):
        ark.write_bytes(whole[:size])
        with pytest.raises(CorpusError, match="no whole binary Kaldi array"):
            read_matrix(Place(ark, 2))


class Evil:
    """Unpickling it leaves a file behind."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickles_and_numpy_files_are_not_opened(ark, tmp_path):
    trap = tmp_path / "trap"
    ark.write_bytes(b"u PKL" + pickle.dumps(Evil(trap)))
    places = read_scp(tmp_path / "feats.scp")
    with pytest.raises(CorpusError, match="no matrix"):
        read_matrix(places["u"])
    with pytest.raises(CorpusError, match="no vector of integers"):
        read_integers(places["u"])
    assert not trap.exists()
    with pytest.raises(FileExistsError):  # the trap works: kaldiio walks into it
        trap.mkdir()
        kaldiio.load_mat(f"{ark}:2")


@pytest.mark.parametrize("command", ["mkdir {} |", "| mkdir {}", "mkdir {}|"])
def test_commands_are_refused_and_not_run(tmp_path, command):
    trap = tmp_path / "trap"
    (tmp_path / "feats.scp").write_text("u " + command.format(trap) + "\n")
    with pytest.raises(CorpusError, match=r"a command for u, .* and ernn runs none"):
        read_scp(tmp_path / "feats.scp")
    assert not trap.exists()


@pytest.mark.parametrize(
    "line", ["u", "u feats.ark", "u feats.ark:x", "u feats.ark:2[0:3]", "u -", "u feats.ark:-1"]
)
def test_entries_that_are_no_place_are_refused(tmp_path, line):
    (tmp_path / "feats.scp").write_text(line + "\n")
    with pytest.raises(CorpusError, match="no archive:offset for u"):
        read_scp(tmp_path / "feats.scp")


def test_relative_places_are_beside_the_list_or_below_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "near.ark").touch()
    scp = tmp_path / "data" / "feats.scp"
    scp.write_text("u near.ark:5\nv mfcc/far.ark:6\nw /abs.ark:7\n")
    monkeypatch.chdir(tmp_path)
    places = read_scp(scp)
    assert places["u"] == (tmp_path / "data" / "near.ark", 5)
    assert [str(places[name].path) for name in "vw"] == ["mfcc/far.ark", "/abs.ark"]


@pytest.mark.parametrize("content", ["u\n\xff", "u a:1\nu b:2\n"])
def test_lists_that_are_no_tables_are_refused(tmp_path, content):
    (tmp_path / "feats.scp").write_bytes(content.encode("latin-1"))
    with pytest.raises(CorpusError, match=r"cannot be read|two lines for 'u'"):
        read_scp(tmp_path / "feats.scp")


def test_what_is_not_there_or_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("nothing", "pipe", "."):
        with pytest.raises(CorpusError, match="no such file"):
            read_matrix(Place(tmp_path / name, 0))
    with pytest.raises(CorpusError, match="cannot be read"):
        read_scp(tmp_path / "nothing")


@pytest.mark.parametrize("text", ["u 1 x\n", "u 1.5\n", "u 99999999999999999999\n", "u [ 1 2 ]\n"])
def test_a_text_that_holds_no_integers_is_refused(tmp_path, text):
    (tmp_path / "ali.txt").write_text(text)
    with pytest.raises(CorpusError, match="no archive of integers"):
        read_integer_archive(tmp_path / "ali.txt")
