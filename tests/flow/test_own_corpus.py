"""A user's own speech through the flow: a synthetic corpus, written as Kaldi would have it."""

import json
import re
import tomllib
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from ernn.compressed import CompressedModel
from ernn.errors import CorpusError
from ernn.flow.chain import bring
from ernn.flow.run_folder import RunFolder
from ernn.flow.scores import read_score
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import CorpusRecipe, FeatureRecipe, Recipe
from ernn.speech import manifest
from ernn.speech.corpus import SPLITS, build_corpus, load_split

DOCS = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text()

MINUTES = {"train_minutes": 0.8, "dev_minutes": 0.2, "test_minutes": 0.2}
UPDATES = {"updates": 20, "batch": 8, "chunk_frames": 32, "evaluate_every": 10, "threads": 1}


def write_as_kaldi(corpus, data, aligned):
    """Write a corpus of ernn as data folders; its phones are numbered from 1."""
    for split in SPLITS:
        folder = data / split
        folder.mkdir(parents=True, exist_ok=True)
        spoken = load_split(corpus, split)
        features = {u.name: u.features for u in spoken}
        scp = str(folder / "feats.scp")
        kaldiio.save_ark(str(folder / "feats.ark"), features, scp=scp, compression_method=2)
        (folder / "utt2spk").write_text("".join(f"{u.name} {u.speaker}\n" for u in spoken))
        if aligned:
            labels = {u.name: u.labels.astype(np.int32) + 1 for u in spoken}
            kaldiio.save_ark(str(folder / "ali.ark"), labels, scp=str(folder / "ali.scp"))
        else:
            said = [" ".join([u.name, *(spoken.phones[p] for p in u.phones)]) for u in spoken]
            (folder / "text").write_text("\n".join(said) + "\n")
    names = ["<eps>", *load_split(corpus, "train").phones]
    table = "".join(f"{name} {number}\n" for number, name in enumerate(names))
    (data / "phones.txt").write_text(table.replace("sil", "SIL"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    build_corpus(CorpusRecipe(**MINUTES), FeatureRecipe(mel_bands=8, keep_every=2), 0, folder)
    return folder


def recipe(data, **training):
    layer = {"hidden": 16, "block": 4}
    return Recipe.from_dict(
        {
            "name": "own",
            "corpus": {"kind": "kaldi", "path": str(data), "phones": str(data / "phones.txt")},
            "model": {"cell": "gru", "layers": [layer]},
            "training": UPDATES | training,
            "compression": {"updates": 10, "updates_per_round": 5, "retrain_updates": 10},
            "quantization": {"calibration_utterances": 2},
        }
    )


@pytest.mark.needs("espeak-ng")
def test_kaldi_archives_become_an_integer_model(corpus, tmp_path):
    data, said = tmp_path / "data", []
    write_as_kaldi(corpus, data, aligned=True)
    out = bring("quantize", recipe(data), tmp_path / "out", say=said.append)
    before, after = (load_split(folder, "test") for folder in (corpus, out / "corpus"))
    assert after.phones[:-1] == before.phones[:-1]
    assert after.phones[-1] == "SIL"
    assert [u.labels.tolist() for u in after] == [u.labels.tolist() for u in before]
    model = CompressedModel.load(out / "compress" / "compressed.safetensors")
    assert (model.features, model.labels) == (27, 39)  # of the archive, not of the recipe
    assert IntegerModel.load(out / "quantize" / "integer.safetensors").labels == 39
    assert 0 < read_score(RunFolder(out).score("quantize")).value <= 100
    bring("corpus", recipe(data), tmp_path / "out", say=said.append)
    assert said[-2] == "corpus: up to date"
    with (data / "dev" / "feats.ark").open("ab") as file:
        file.write(b"\0")
    bring("corpus", recipe(data), tmp_path / "out", say=said.append)
    assert said[-3] == f"corpus: again, because {data} changed"


@pytest.mark.needs("espeak-ng")
def test_phone_strings_become_an_integer_model_with_ctc(corpus, tmp_path):
    data, said = tmp_path / "data", []
    write_as_kaldi(corpus, data, aligned=False)
    (data / "phones.txt").write_text((data / "phones.txt").read_text().replace("SIL", "sil"))
    out = bring("quantize", recipe(data, loss="ctc"), tmp_path / "out", say=said.append)
    assert IntegerModel.load(out / "quantize" / "integer.safetensors").labels == 40  # and a blank
    assert 0 < read_score(RunFolder(out).score("quantize")).value <= 100
    with pytest.raises(CorpusError, match=r'has phones but no times.*set loss = "ctc"'):
        bring("train", recipe(data), tmp_path / "out", say=said.append)
    assert said[-1].startswith("train: again")  # told before any training


def blocks(language):
    """Return the examples of docs/corpora.md in one language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def test_the_example_of_the_docs_is_a_corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[0], {})
    mine, spoken = (Recipe.from_dict(tomllib.loads(text)) for text in blocks("toml"))
    build_corpus(mine.corpus, mine.features, 0, tmp_path)
    train = load_split(tmp_path, "train")
    assert (train.phones, train.feature_size, len(train)) == (("sil", "a", "b"), 3, 30)
    frames = np.concatenate([u.features for u in train])
    labels = np.concatenate([u.labels for u in train])
    assert (frames.argmax(1) == labels).mean() > 0.9
    assert spoken.corpus.kind == "manifest"


@pytest.mark.parametrize("text", blocks("json"))
def test_the_lines_of_the_docs_are_a_manifest(tmp_path, text):
    path = tmp_path / "speech.jsonl"
    path.write_text(text)
    lines = list(manifest.read_lines(path))
    assert [line.audio for line in lines] == [json.loads(row)["audio"] for row in text.splitlines()]
    assert all("ow" in line.spoken for line in lines)
