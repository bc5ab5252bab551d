"""One spoken utterance as it leaves a synthesizer or a corpus: samples and timed phones."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ernn.speech.audio import Origin
from ernn.speech.phones import PHONE_INDEX, SILENCE, Spoken, merge_silences

# Where a vowel and its r (or l, n) share one timed event, the vowel takes this part of it.
FIRST_PART = 0.6


@dataclass(frozen=True)
class Recording:
    """Audio with its phones, which lie end to end from the first sample to the last."""

    audio: np.ndarray  # (N,) float32, full scale 1
    rate: int  # samples per second
    phones: np.ndarray  # (S,) int16, indices into PHONES or the corpus's own phones
    ends: np.ndarray | None  # (S,) int64, the sample behind each phone, the last N; None: unknown
    silence: int = SILENCE  # index of the silent phone, -1 for none
    origin: Origin | None = None  # None: made on the spot

    @classmethod
    def from_events(
        cls, audio: np.ndarray, rate: int, events: list[tuple[Spoken, int]]
    ) -> "Recording":
        """Lay timed events end to end.

        Args:
            audio: (N,) samples.
            rate: samples per second.
            events: what is spoken and the sample where it starts, in order. The first may start
                late (silence comes before it); an empty one lengthens its predecessor.
        """
        starts = [min(start, len(audio)) for _, start in events] + [len(audio)]
        phones, ends = [SILENCE], [starts[0]]
        for (spoken, _), (start, end) in zip(events, pairwise(starts), strict=True):
            if not spoken:
                ends[-1] = end
                continue
            middle = round(start + FIRST_PART * (end - start))
            phones += [PHONE_INDEX[phone] for phone in spoken]
            ends += [end] if len(spoken) == 1 else [middle, end]
        spans = np.diff(ends, prepend=0) > 0
        return cls(
            np.asarray(audio, np.float32),
            rate,
            np.array(phones, np.int16)[spans],
            np.array(ends, np.int64)[spans],
        )

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.audio) / self.rate

    def padded(self, before: int, after: int) -> "Recording":
        """Add silent samples at both ends."""
        total = before + len(self.audio) + after
        assert self.ends is not None
        phones = np.concatenate([[SILENCE], self.phones, [SILENCE]]).astype(np.int16)
        ends = np.concatenate([[before], self.ends + before, [total]])
        audio = np.pad(self.audio, (before, after))
        return Recording(audio, self.rate, phones, ends)

    def with_audio(self, audio: np.ndarray) -> "Recording":
        """Replace the samples by as many others."""
        return replace(self, audio=audio)

    def labels(self, samples: np.ndarray) -> np.ndarray | None:
        """Return the phone index at each of the given samples, None where times are unknown."""
        if self.ends is None:
            return None
        segment = np.searchsorted(self.ends, samples, side="right")
        return self.phones[np.minimum(segment, len(self.phones) - 1)]

    def reference(self) -> np.ndarray:
        """Return the phone sequence to score against; silences side by side count as one."""
        return merge_silences(self.phones, self.silence)
