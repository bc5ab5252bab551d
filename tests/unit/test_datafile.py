"""Text and data files of users: what other systems make of them, and what is told together."""

import gzip
import lzma
import pickle
from dataclasses import dataclass

import pytest

from ernn.datafile import Strict, load_toml, parse, read_text, read_toml
from ernn.errors import CorpusError, ErnnError, Fault, RecipeError, Setting
from ernn.recipe import Recipe


@dataclass(frozen=True)
class Shelf(Strict):
    """Something to be read."""

    books: int
    colour: str = "red"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_text_of_every_system_is_the_same(tmp_path, mark, ending):
    path = tmp_path / "shelf.toml"
    path.write_bytes(mark + b"books = 3" + ending + 'colour = "\u00fc"'.encode() + ending)
    assert read_text(path, CorpusError, "a text") == 'books = 3\ncolour = "\u00fc"\n'
    assert read_toml(path, Shelf, RecipeError) == Shelf(3, "\u00fc")


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('name = "x"\nmodel = {cell = "gru", layers = [{hidden = 8}]}', "utf-8-sig")
    assert Recipe.load(path).name == "x"


@pytest.mark.parametrize(
    ("content", "given", "remedy"),
    [
        (gzip.compress(b"books = 3"), "it is compressed", "unpack it with gunzip"),
        (lzma.compress(b"books = 3"), "it is compressed", "unpack it with unxz"),
        (b"PK\3\4 and so on", "it is compressed", "unpack it with unzip"),
        ("books = 3".encode("utf-16"), "it is no text in UTF-8 (UTF-16)", "save it as UTF-8"),
        (b"\xfc = 3", "it is no text in UTF-8", "save it as UTF-8"),
        (b"books = ", "Invalid value", "repair the file"),
    ],
    ids=["gzip", "xz", "zip", "utf-16", "latin-1", "cut off"],
)
def test_what_is_no_text_gets_the_remedy(tmp_path, content, given, remedy):
    path = tmp_path / "shelf.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as told:
        load_toml(path, RecipeError)
    assert told.value.fault.what.startswith(str(path))
    assert told.value.fault.given.startswith(given)
    assert told.value.fault.remedy == remedy


def test_a_file_that_is_there_compressed_only_is_named(tmp_path):
    path = tmp_path / "shelf.toml"
    with pytest.raises(CorpusError) as told:
        read_text(path, CorpusError, "a text")
    assert told.value.fault == Fault(
        f"{path} cannot be read", "No such file or directory", "", "give a text"
    )
    (tmp_path / "shelf.toml.gz").touch()
    with pytest.raises(CorpusError) as told:
        read_text(path, CorpusError, "a text")
    assert told.value.fault.remedy == f"unpack {path}.gz with gunzip"


def test_an_unknown_key_is_told_with_those_that_are_known():
    with pytest.raises(RecipeError) as told:
        parse({"books": 1, "color": "red"}, Shelf, RecipeError, "shelf", "mend it")
    assert told.value.fault == Fault(
        "shelf does not describe a Shelf", "color: not a known key", "books, colour", "mend it"
    )


def test_the_sentence_is_made_of_the_fields():
    fault = Fault("x.wav", "2 channels", "one", "name it")
    assert str(fault) == "x.wav: 2 channels (allowed: one); name it"
    assert str(Fault("x.wav is damaged")) == "x.wav is damaged"
    assert str(Setting("r.toml: seed", "-1", "0 or more")) == "r.toml: seed = -1: 0 or more"
    both = ErnnError(fault, "and more")
    assert str(both) == f"{fault}\nand more"
    assert (both.fault, both.faults[1].what) == (fault, "and more")


def test_an_error_keeps_its_fields_where_it_is_passed_on():
    short = CorpusError("x.wav", given="2 channels", allowed="one", remedy="name it")
    assert short.fault == Fault("x.wav", "2 channels", "one", "name it")
    copied = pickle.loads(pickle.dumps(short))
    assert (type(copied), copied.faults) == (CorpusError, short.faults)
    told = short.at("line 3")
    assert type(told) is CorpusError
    assert told.fault == Fault("line 3: x.wav", "2 channels", "one", "name it")
