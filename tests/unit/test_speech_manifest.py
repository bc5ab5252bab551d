"""Manifests of recordings: what they become, and what is refused."""

import json

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import manifest
from ernn.speech.corpus import SPLITS, build_corpus, load_split
from ernn.speech.labels import PhoneSet

RATE = 8_000
SECONDS = 1.0
TIMED = [[0.1, 0.3, "a"], [0.3, 0.62, "b"], [0.7, 1.0, "a"]]


def write_audio(path, seconds=SECONDS, rate=RATE, channels=1, **options):
    audio = np.random.default_rng(0).standard_normal((round(seconds * rate), channels)) * 0.1
    soundfile.write(path, audio, rate, **options)


def line(**changes):
    return {"audio": "ann/one.wav", "speaker": "ann", "split": "train", "phones": TIMED} | changes


def write_manifest(folder, *lines):
    path = folder / "speech.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


@pytest.fixture
def lines(tmp_path):
    """A manifest's lines, one for each split, and their recordings."""
    made = [line(audio=f"{split}.wav", split=split) for split in SPLITS]
    for each in made:
        write_audio(tmp_path / each["audio"])
    return made


def build(folder, *lines, **changes):
    recipe = CorpusRecipe(
        kind="manifest", **{"path": str(write_manifest(folder, *lines)), **changes}
    )
    build_corpus(recipe, FeatureRecipe(mel_bands=8), 0, folder)
    return load_split(folder, "train")


def test_timed_phones_become_frame_labels(tmp_path, lines):
    train = build(tmp_path, *lines)
    assert train.phones == ("a", "b", "sil")
    (u,) = train
    assert (u.name, u.speaker, u.features.shape) == ("train.wav", "ann", (98, 27))
    assert [train.phones[p] for p in u.phones] == ["sil", "a", "b", "sil", "a"]
    # Frame t is 12.5 ms + 10 ms t in: the last one before 0.1 s is frame 8, and so on.
    changes = np.flatnonzero(np.diff(u.labels)) + 1
    assert changes.tolist() == [9, 29, 61, 69]


def test_phone_strings_give_a_corpus_for_ctc(tmp_path, lines):
    train = build(tmp_path, *[{**each, "phones": "a b sil sil a"} for each in lines])
    assert train.phones == ("a", "b", "sil")
    assert train[0].labels is None
    assert [train.phones[p] for p in train[0].phones] == ["a", "b", "sil", "a"]


@pytest.mark.parametrize(("rate", "options"), [(16_000, {}), (48_000, {}), (22_050, {})])
def test_every_rate_gives_the_same_frames(tmp_path, lines, rate, options):
    for each in lines:
        write_audio(tmp_path / each["audio"], rate=rate, **options)
    train = build(tmp_path, *lines)
    assert train[0].features.shape == (98, 27)
    changes = np.flatnonzero(np.diff(train[0].labels)) + 1
    assert changes.tolist() == [9, 29, 61, 69]


def test_flac_in_a_folder_is_found_from_the_manifest(tmp_path, lines):
    (tmp_path / "deep").mkdir()
    write_audio(tmp_path / "deep" / "one.flac")
    lines[0]["audio"] = "deep/one.flac"
    assert build(tmp_path, *lines)[0].name == "deep/one.flac"
    recipe = CorpusRecipe(kind="manifest", path=str(tmp_path / "speech.jsonl"))
    assert tmp_path / "deep" / "one.flac" in manifest.sources(recipe)


def test_phones_can_be_folded_to_timits_39(tmp_path, lines):
    spoken = [[0.0, 0.2, "h#"], [0.2, 0.3, "q"], [0.3, 0.6, "ix"], [0.6, 1.0, "h#"]]
    train = build(tmp_path, *[{**each, "phones": spoken} for each in lines], fold="timit")
    assert len(train.phones) == 39
    assert [train.phones[p] for p in train[0].phones] == ["sil", "ih", "sil"]
    assert (train[0].labels == train.phones.index("sil")).sum() == 29 + 39  # q is silence here


def test_a_table_of_phones_decides_their_order(tmp_path, lines):
    (tmp_path / "phones.txt").write_text("sil\nb\na\nc\n")
    train = build(tmp_path, *lines, phones=str(tmp_path / "phones.txt"))
    assert train.phones == ("sil", "b", "a", "c")


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=6))
def test_every_sample_has_the_phone_of_its_time(gaps):
    """Phones with gaps between them, in milliseconds, against looking each sample up."""
    timed, now = [], 0
    for number, (gap, length) in enumerate(gaps):
        timed.append(((now + gap) / 1000, (now + gap + length) / 1000, "ab"[number % 2]))
        now += gap + length
    samples = 8 * (now + 5)
    phones, ends = manifest._lay(timed, samples, 8000, PhoneSet.choose(None, ["a", "b", "sil"]))
    assert ends[-1] == samples
    told = np.repeat(phones, np.diff(ends, prepend=0))
    for sample in range(4, samples, 8):  # in the middle of each millisecond
        t = sample / 8000
        expected = next(("ab".index(p) for start, end, p in timed if start <= t < end), 2)
        shift = any(0 < start - t < 0.0011 or 0 < t - start < 0.0011 for start, _, _ in timed)
        assert told[sample] == expected or shift  # a gap of 1 ms counts as rounding


BAD_LINES = [
    ({"phones": [[0.1, 0.3, "a"], [0.2, 0.4, "b"]]}, "'b' from 0.2 s to 0.4 s .* overlaps"),
    ({"phones": [[0.3, 0.3, "a"]]}, "no length"),
    ({"phones": [[0.3, 0.1, "a"]]}, "no length"),
    ({"phones": [[-0.3, 0.1, "a"]]}, "overlaps"),
    ({"phones": [[float("nan"), 0.1, "a"]]}, "no length"),
    ({"phones": [[0.1, float("inf"), "a"]]}, "no length"),
    ({"phones": [[0.1, 1e300, "a"]]}, "but the audio at 1.000 s"),
    ({"phones": [[0.0, 1.2, "a"]]}, "phones end at 1.200 s, but the audio at 1.000 s"),
    ({"phones": [[0.0, 1.0]]}, "line 1 does not describe a Line"),
    ({"phones": 7}, "line 1 does not describe a Line"),
    ({"phones": ""}, "line 1: no phones"),
    ({"phones": [[0, 1, ""]]}, "line 1: '' is no phone"),
    ({"phones": [[0, 1, "a b"]]}, "line 1: 'a b' is no phone"),
    ({"phones": []}, "line 1: no phones"),
    ({"phones": "a b"}, "has phones alone"),
    ({"split": "training"}, "line 1 does not describe a Line: split"),
    ({"split": "dev"}, 'no line with "split": "train"'),
    ({"audio": "dev.wav"}, "line 2: dev.wav again"),
    ({"audio": "nothing.wav"}, "nothing.wav cannot be read as audio"),
    ({"audio": "speech.jsonl"}, "speech.jsonl cannot be read as audio"),
    ({"audio": "."}, "cannot be read as audio"),
    ({"audio": "a\0b.wav"}, "cannot be read as audio"),
    ({"speaker": None}, "line 1 does not describe a Line: speaker"),
]


@pytest.mark.parametrize(("change", "message"), BAD_LINES)
def test_bad_lines_get_one_sentence(tmp_path, lines, change, message):
    with pytest.raises(CorpusError, match=message) as told:
        build(tmp_path, {**lines[0], **change}, *lines[1:])
    assert "\n" not in str(told.value)


def test_a_phone_that_training_lacks_is_refused(tmp_path, lines):
    lines[2]["phones"] = [[0.0, 1.0, "c"]]
    with pytest.raises(CorpusError, match=r"test\.wav: 'c' is none of the corpus's phones"):
        build(tmp_path, *lines)


def test_gaps_need_a_silent_phone(tmp_path, lines):
    (tmp_path / "phones.txt").write_text("b\na\n")
    with pytest.raises(CorpusError, match=r"no phone from 0\.000 s to 0\.100 s and no 'sil'"):
        build(tmp_path, *lines, phones=str(tmp_path / "phones.txt"))


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ({"channels": 2}, "2 channels"),
        ({"rate": 4_000}, "4000 Hz"),
        ({"seconds": 301}, "lasts 301 s; cut it"),
        ({"seconds": 0}, "lasts 0 s"),
        ({"seconds": 0.01}, "shorter than a window"),
    ],
)
def test_unusable_audio_gets_one_sentence(tmp_path, lines, audio, message):
    write_audio(tmp_path / "dev.wav", **audio)
    lines[1]["phones"] = [[0.0, 0.01, "a"]]
    with pytest.raises(CorpusError, match=message):
        build(tmp_path, *lines)


def test_damaged_audio_gets_one_sentence(tmp_path, lines):
    samples = np.zeros(RATE, np.float32)
    samples[99] = np.nan
    soundfile.write(tmp_path / "dev.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(CorpusError, match=r"dev\.wav has samples that are NaN"):
        build(tmp_path, *lines)
    (tmp_path / "dev.wav").write_bytes((tmp_path / "dev.wav").read_bytes()[:30])
    with pytest.raises(CorpusError, match=r"dev\.wav"):
        build(tmp_path, *lines)


@pytest.mark.parametrize("text", ["{", "[1]", "null", "[" * 100_000, '{"audio": 1}', "\x00"])
def test_text_that_is_no_manifest_gets_one_sentence(tmp_path, text):
    path = tmp_path / "speech.jsonl"
    path.write_text(text)
    with pytest.raises(CorpusError, match="line 1"):
        manifest.tasks(CorpusRecipe(kind="manifest", path=str(path)))


def test_a_missing_or_foreign_manifest_gets_one_sentence(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("nothing", "bytes", "."):
        with pytest.raises(CorpusError, match="cannot be read"):
            manifest.tasks(CorpusRecipe(kind="manifest", path=str(tmp_path / name)))
    (tmp_path / "empty").touch()
    with pytest.raises(CorpusError):
        manifest.tasks(CorpusRecipe(kind="manifest", path=str(tmp_path / "empty")))
