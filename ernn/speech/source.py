"""What a reader of speech returns: who says what in which split, and what it left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ernn.recipe import FeatureRecipe
from ernn.speech.utterance import Utterance


class SpeakerTask(Protocol):
    """One speaker's work, small enough to be sent to another process."""

    @property
    def name(self) -> str:
        """Name of the speaker."""
        ...

    def utterances(self, recipe: FeatureRecipe) -> list[Utterance]:
        """Return all that the speaker says."""
        ...


@dataclass(frozen=True)
class Source:
    """Speech that was found, before any of it is read."""

    tasks: Mapping[str, Sequence[SpeakerTask]]  # by split
    phones: tuple[str, ...]  # what labels stand for
    made_by: list[str]  # such as ["espeak-ng 1.52.0"]
    sentences: Sequence[str] = ()  # what a user should know of the whole
    # What is there and not used, or should be there and is not, and the names of all of it.
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
