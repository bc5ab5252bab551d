"""The sections of speech: where it comes from, and what is computed from it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ernn.recipe.section import Fraction, Positive, Section, Seed

Minutes = Annotated[float, Field(gt=0, le=10_000)]
Decibels = Annotated[float, Field(ge=-60, le=120)]


class CorpusRecipe(Section):
    """Where the speech comes from."""

    kind: Literal["synthetic", "timit", "kaldi", "manifest"] = "synthetic"
    # The folder that holds TRAIN and TEST (timit) or three data folders (kaldi); or the manifest.
    path: str | None = None
    phones: str | None = None  # kaldi, manifest: a table of lines: phone number (phones.txt)
    fold: str | None = None  # kaldi, manifest: "timit", or a table of lines: phone label
    train_folder: str = "train"  # kaldi only: data folders, below path
    dev_folder: str = "dev"
    test_folder: str = "test"
    seed: Seed | None = None  # synthetic only, as all below; None: the recipe's seed
    flite: bool = False  # flite's voices as well, where installed
    train_minutes: Minutes = 12.0
    dev_minutes: Minutes = 2.0
    test_minutes: Minutes = 4.0
    snr_db_min: Decibels = 15.0
    snr_db_max: Decibels = 35.0
    reverb_fraction: Fraction = 0.2

    @model_validator(mode="after")
    def _consistent(self) -> "CorpusRecipe":
        needs = {
            "timit": "the folder that holds TRAIN and TEST",
            "kaldi": "the folder that holds the data folders train, dev and test",
            "manifest": "a file with a line of JSON for each recording",
        }
        if self.kind in needs and not self.path:
            raise ValueError(f'kind = "{self.kind}" needs path, {needs[self.kind]}')
        if self.snr_db_min > self.snr_db_max:
            raise ValueError(
                f"snr_db_min = {self.snr_db_min} is above snr_db_max = {self.snr_db_max}"
            )
        return self


class FeatureRecipe(Section):
    """Mel bands and energy, their delta and delta-delta: 3 * (mel_bands + 1) values."""

    mel_bands: Annotated[int, Field(ge=8, le=80)] = 50
    window_ms: Positive = 25.0
    step_ms: Positive = 10.0
    keep_every: Annotated[int, Field(ge=1, le=4)] = 1  # 2: every second frame, 20 ms apart

    @property
    def size(self) -> int:
        """Values per frame."""
        return 3 * (self.mel_bands + 1)
