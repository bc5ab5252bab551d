"""The sections of training and compression."""

from typing import Annotated, Literal

from pydantic import Field

from ernn.recipe.section import Count, Fraction, LearningRate, NotNegative, Positive, Section


class TrainingRecipe(Section):
    """Dense training: Adam with linear decay on chunks of utterances, or on whole ones (CTC)."""

    loss: Literal["frames", "ctc"] = "frames"  # "ctc": phone sequences without times
    updates: Count = 1500
    batch: Count = 32  # chunks or utterances, of all GPUs together
    # loss = "frames" only; 0: whole utterances, which begin where a state begins
    chunk_frames: Annotated[int, Field(ge=0, le=1_000_000)] = 64
    learning_rate: LearningRate = 1e-2
    label_delay: Annotated[int, Field(ge=0, le=50)] = 2  # frames; loss = "frames" only
    input_noise: NotNegative | None = None  # None: 0.1 where classes are told, else 0
    clip_norm: Positive = 1.0
    evaluate_every: Count = 250  # updates
    patience: Count = 8  # evaluations without a better development loss before stopping
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"  # of products

    @property
    def blanks(self) -> int:
        """Outputs of the model beside the phones: CTC's blank, which comes last."""
        return int(self.loss == "ctc")


class CompressionRecipe(Section):
    """How a model becomes block-circulant.

    admm: the dense model is pulled to its structures, projected, and retrained inside them.
    project: it is projected at once; ADMM's updates go to retraining.
    direct: a new model is trained inside the structures, for as many updates as all phases take.
    """

    method: Literal["admm", "project", "direct"] = "admm"
    updates: Count = 1500
    updates_per_round: Count = 20
    rho_start: Positive = 3e-4
    rho_end: Positive = 3e-2
    progressive: Fraction = 0.0  # share of ADMM in which the tiles that are dropped grow more
    purify: NotNegative | None = None  # loss of the score that dropping columns may cost; None: off
    gap: NotNegative = 0.02  # ||W - Z|| / ||W|| that ends ADMM early; retraining gets the rest
    learning_rate: LearningRate = 1e-2
    retrain_updates: Count = 1500
    retrain_learning_rate: LearningRate = 1e-2
    # Share of retraining's loss: difference from the dense outputs; 1: nothing else, in ADMM too
    distillation: Fraction = 0.0
    distillation_temperature: Positive = 2.0
