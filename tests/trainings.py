"""Small trainings on made-up data, for all tests of training."""

import numpy as np

from ernn.recipe import CompressionRecipe, LayerRecipe, ModelRecipe, TrainingRecipe
from ernn.train.acoustic import AcousticModel
from ernn.train.batches import Data

F, LABELS = 6, 4
MODEL = ModelRecipe(cell="gru", layers=[LayerRecipe(hidden=16, block=4)])
TRAINING = TrainingRecipe(
    updates=60, batch=8, chunk_frames=12, label_delay=1, evaluate_every=20, threads=1
)
CTC = TRAINING.model_copy(update={"loss": "ctc"})
COMPRESSION = CompressionRecipe(
    updates=60, updates_per_round=10, rho_start=1e-2, rho_end=10.0, retrain_updates=40
)


def utterances(count, seed):
    """Labels that stay for a few frames; features are Gaussian around the label's mean."""
    rng = np.random.default_rng(seed)
    means = np.random.default_rng(0).normal(size=(LABELS, F))
    made = []
    for length in rng.integers(8, 40, size=count):
        labels = np.repeat(rng.integers(0, LABELS, length), 4)[:length]
        features = means[labels] + 0.5 * rng.normal(size=(length, F))
        made.append((features.astype(np.float32), labels))
    return made


def without_times(made):
    """Keep of the labels the sequence only."""
    return [(f, labels[np.append(True, np.diff(labels) != 0)]) for f, labels in made]


DATA = Data(utterances(30, 1), utterances(6, 2), LABELS)
CTC_DATA = Data(without_times(utterances(150, 3)), without_times(DATA.dev), LABELS, "order")


def new_model(training=TRAINING):
    return AcousticModel(MODEL, F, LABELS + training.blanks)
