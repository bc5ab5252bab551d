"""The phone tables, and how timed events become labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.speech.phones import PHONE_INDEX, PHONES, SILENCE, fold_espeak, fold_flite, fold_timit
from ernn.speech.recording import Recording

TIMIT_LABELS = (
    "iy ih eh ey ae aa aw ay ah ao oy ow uh uw ux er ax ix axr ax-h b d g p t k dx q jh ch s sh z "
    "zh f th v dh m n ng em en eng nx l r w y hh hv el bcl dcl gcl pcl tcl kcl pau epi h#"
).split()


def test_there_are_39_phones():
    assert len(PHONES) == len(set(PHONES)) == 39
    assert PHONES[SILENCE] == "sil"


def test_61_labels_fold_onto_all_39_phones():
    assert len(TIMIT_LABELS) == 61
    folded = {phone for label in TIMIT_LABELS for phone in fold_timit(label)}
    assert folded == set(PHONES)
    assert fold_timit("q") == ()
    assert fold_timit("ix") == ("ih",)
    assert fold_timit("zh") == ("sh",)
    assert fold_timit("kcl") == fold_timit("h#") == ("sil",)


@pytest.mark.parametrize(
    ("fold", "label"),
    [(fold_timit, "sil"), (fold_timit, ""), (fold_espeak, "Q"), (fold_flite, "ao1")],
)
def test_an_unknown_label_is_refused(fold, label):
    with pytest.raises(CorpusError, match="is not a known"):
        fold(label)


def test_espeak_marks_and_double_sounds():
    assert fold_espeak("'aI") == fold_espeak(",aI") == ("ay",)
    assert fold_espeak("A@") == ("aa", "r")
    assert fold_espeak("n-") == ("ah", "n")
    assert fold_espeak("?") == fold_espeak(";") == ()
    assert fold_espeak("_:") == ("sil",)


def test_events_are_laid_end_to_end():
    events = [(("k",), 10), (("aa", "r"), 20), ((), 40), (("t",), 50), (("sil",), 60)]
    recording = Recording.from_events(np.zeros(60), 100, events)
    names = [PHONES[phone] for phone in recording.phones]
    assert names == ["sil", "k", "aa", "r", "t"]  # the last silence has no length
    assert recording.ends.tolist() == [10, 20, 32, 50, 60]  # and the empty event joined the r


def test_padding_is_silence_and_silences_count_once():
    recording = Recording.from_events(np.ones(10), 100, [(("sil",), 0), (("s",), 4)])
    padded = recording.padded(3, 5)
    assert padded.ends.tolist() == [3, 7, 13, 18]
    assert padded.audio.tolist() == [0] * 3 + [1] * 10 + [0] * 5
    assert [PHONES[phone] for phone in padded.reference()] == ["sil", "s", "sil"]


def test_a_phone_said_twice_stays_twice_in_the_reference():
    recording = Recording.from_events(np.ones(9), 100, [(("d",), 0), (("d",), 4)])
    assert recording.reference().tolist() == [PHONE_INDEX["d"]] * 2


@given(
    st.lists(st.tuples(st.sampled_from([(), ("s",), ("aa", "r")]), st.integers(0, 90)), max_size=9),
    st.integers(1, 80),
)
def test_labels_always_tile_the_audio(events, size):
    events = sorted(events, key=lambda event: event[1])
    recording = Recording.from_events(np.zeros(size), 100, events)
    assert recording.ends[-1] == size
    assert (np.diff(recording.ends, prepend=0) > 0).all()
    expected = np.repeat(recording.phones, np.diff(recording.ends, prepend=0))
    assert recording.labels(np.arange(size)).tolist() == expected.tolist()
