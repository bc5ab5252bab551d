"""Features against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.recipe import FeatureRecipe
from ernn.speech import features
from ernn.speech.phones import SILENCE
from ernn.speech.recording import Recording

RATE = 16_000
RECIPE = FeatureRecipe()


def recording(audio):
    return Recording(audio.astype(np.float32), RATE, np.array([SILENCE]), np.array([len(audio)]))


def test_bands_equal_the_textbook_computation():
    audio = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    got = features.log_mel(audio, RATE, RECIPE)
    emphasised = np.concatenate([audio[:1], audio[1:] - 0.97 * audio[:-1]])
    filters = features.mel_filters(50, 512, RATE).toarray()
    assert got.shape == (4, 51)
    for t in range(4):
        spectrum = np.fft.rfft(emphasised[160 * t : 160 * t + 400] * np.hamming(400), 512)
        expected = np.log(filters @ np.abs(spectrum) ** 2 + 1e-10)
        np.testing.assert_allclose(got[t, :50], expected, atol=1e-4)
        energy = np.log(np.mean(audio[160 * t : 160 * t + 400] ** 2))
        assert got[t, 50] == pytest.approx(energy, abs=1e-4)


@pytest.mark.parametrize("hz", [300, 1000, 3000])
def test_a_tone_is_loudest_in_its_own_band(hz):
    audio = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    bands = features.log_mel(audio, RATE, RECIPE)[:, :50].mean(0)
    response = features.mel_filters(50, 512, RATE).toarray()[:, round(hz * 512 / RATE)]
    assert bands.argmax() == response.argmax()


@pytest.mark.parametrize("bands", [8, 50, 80])
def test_every_band_hears_something(bands):
    assert (features.mel_filters(bands, 512, RATE).toarray().sum(1) > 0).all()


def test_normalisation_is_per_speaker():
    rng = np.random.default_rng(0)
    raw = [rng.standard_normal((n, 3)) * [1, 5, 0.1] + [0, 7, -2] for n in (40, 90)]
    frames = np.concatenate(features.normalise(raw))
    np.testing.assert_allclose(frames.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(frames.std(0), 1, atol=1e-3)


def test_deltas_of_a_line_are_its_slope():
    line = np.arange(20, dtype=np.float32)[:, None] * [2.0, -1.0]
    result = features.with_deltas(line)
    np.testing.assert_allclose(result[2:-2, 2:4], [[2.0, -1.0]] * 16, atol=1e-6)
    np.testing.assert_allclose(result[4:-4, 4:], 0, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(400, 3000), st.integers(1, 4), st.integers(8, 80))
def test_shapes_and_labels_agree(size, every, bands):
    recipe = FeatureRecipe(mel_bands=bands, keep_every=every)
    audio = np.random.default_rng(size).standard_normal(size)
    ((values, labels),) = features.speaker_features([recording(audio)], recipe)
    frames = 1 + (size - 400) // 160
    assert values.shape == (-(-frames // every), recipe.size)
    assert values.dtype == np.float32
    assert len(labels) == len(values)


def test_a_label_is_taken_from_the_middle_of_its_window():
    audio = np.random.default_rng(0).standard_normal(2000).astype(np.float32)
    spoken = Recording(audio, RATE, np.array([3, 5], np.int8), np.array([520, 2000]))
    ((_, labels),) = features.speaker_features([spoken], RECIPE)
    assert labels.tolist() == [3, 3] + [5] * (len(labels) - 2)  # centres 200, 360, 520, ...


def test_bad_audio_is_refused():
    with pytest.raises(CorpusError, match="shorter than a window of 400"):
        features.speaker_features([recording(np.zeros(399))], RECIPE)
    audio = np.zeros(1000)
    audio[500] = np.nan
    with pytest.raises(CorpusError, match="not finite"):
        features.speaker_features([recording(audio)], RECIPE)
