"""Manifests of recordings: what they become, and what is refused."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given
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
    rng = np.random.default_rng([len(path.name), *path.name.encode()])  # no two are the same
    audio = rng.standard_normal((round(seconds * rate), channels)) * 0.1
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
    ({"phones": [[0.1, 0.3, "a"], [0.2, 0.4, "b"]]}, "'b' from 0.2 s to 0.4 s: .* overlaps"),
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
    ({"speaker": " "}, "line 1 does not describe a Line: speaker"),
    ({"offset": True}, "line 1 does not describe a Line: offset"),
    ({"offset": "0.1"}, "line 1 does not describe a Line: offset"),
    ({"offset": -0.1}, "line 1 does not describe a Line: offset"),
    ({"offset": float("nan")}, "line 1 does not describe a Line: offset"),
    ({"duration": 0}, "line 1 does not describe a Line: duration"),
    ({"duration": float("inf")}, "line 1 does not describe a Line: duration"),
    ({"channel": -1}, "line 1 does not describe a Line: channel"),
    ({"channel": "A"}, "line 1 does not describe a Line: channel"),
    ({"channel": 1}, "1 channels, and channel = 1 is wanted"),
    ({"offset": 1.0}, "lasts 1.000 s: 1.000 s to 1.000 s is wanted"),
    ({"offset": 0.5, "duration": 0.7}, "lasts 1.000 s: 0.500 s to 1.200 s is wanted"),
    ({"duration": 9.0}, "lasts 1.000 s: 0.000 s to 9.000 s is wanted"),
    ({"duration": 0.6}, "phones end at 1.000 s, but the audio at 0.600 s"),
    ({"audio": "gone/\u0283.wav"}, "\u0283.wav cannot be read as audio: no such file"),
]


@pytest.mark.parametrize(("change", "message"), BAD_LINES)
def test_bad_lines_get_one_sentence(tmp_path, lines, change, message):
    with pytest.raises(CorpusError, match=message) as told:
        build(tmp_path, {**lines[0], **change}, *lines[1:])
    assert "\n" not in str(told.value)
    assert told.value.fault.allowed or told.value.fault.remedy


@given(st.text(min_size=1))
def test_a_key_that_ernn_does_not_know_is_refused(key):
    known = {"audio", "speaker", "split", "phones", "offset", "duration", "channel"}
    assume(key not in known and key.encode("utf-8", "ignore").decode() == key)
    with tempfile.TemporaryDirectory() as folder:
        path = write_manifest(Path(folder), line(**{key: 1.16}))
        with pytest.raises(CorpusError) as told:
            list(manifest.read_lines(path))
    assert told.value.fault.given == f"{key}: not a known key"
    assert set(told.value.fault.allowed.split(", ")) == known


def test_a_key_with_two_values_is_refused(tmp_path):
    path = tmp_path / "speech.jsonl"
    path.write_text('{"audio": "a.wav", "speaker": "ann", "audio": "b.wav"}')
    with pytest.raises(CorpusError) as told:
        list(manifest.read_lines(path))
    assert told.value.fault.given == "the key 'audio' comes twice"


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n"])
def test_text_of_other_systems_is_read(tmp_path, lines, mark, ending):
    path = tmp_path / "speech.jsonl"
    text = mark + "".join(json.dumps(each) + ending for each in lines)
    path.write_bytes(text.encode())
    assert [told.audio for told in manifest.read_lines(path)] == [one["audio"] for one in lines]


def part_of(one, offset, duration):
    """Return a line for a part of the second that the lines' recordings last."""
    phones = [[0.0, duration / 2, "a"], [duration / 2, duration, "b"]]
    return {**one, "offset": offset, "duration": duration, "phones": phones}


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_never_ends_is_no_recording(tmp_path, lines, make):
    (tmp_path / "train.wav").unlink()
    make(tmp_path / "train.wav")
    with pytest.raises(CorpusError, match="cannot be read as audio"):
        build(tmp_path, *lines)


def test_silence_in_capitals_is_silence(tmp_path, lines):
    spoken = [[0.1, 0.3, "SIL"], [0.3, 0.62, "b"], [0.7, 1.0, "a"]]
    train = build(tmp_path, *[{**each, "phones": spoken} for each in lines])
    assert train.phones == ("SIL", "a", "b")
    assert [train.phones[p] for p in train[0].phones] == ["SIL", "b", "SIL", "a"]


def test_a_part_is_what_is_said_of_the_part(tmp_path, lines):
    """Offset and duration against a file that holds nothing but the part."""
    whole, rate = soundfile.read(tmp_path / "train.wav", dtype="float32")
    part = build(tmp_path, part_of(lines[0], 0.25, 0.5), *lines[1:])[0]
    assert part.name == "train.wav#t=0.25,0.75"
    soundfile.write(tmp_path / "train.wav", whole[rate // 4 : 3 * rate // 4], rate)
    alone = build(tmp_path, {**part_of(lines[0], 0, 0.5), "duration": None}, *lines[1:])[0]
    assert alone.name == "train.wav"
    assert np.array_equal(part.features, alone.features)
    assert np.array_equal(part.labels, alone.labels)
    assert len(part.labels) == 48


def test_a_channel_is_what_is_said_in_the_channel(tmp_path, lines):
    mono, rate = soundfile.read(tmp_path / "train.wav", dtype="float32")
    alone = build(tmp_path, *lines)[0]
    soundfile.write(tmp_path / "train.wav", np.stack([mono[::-1], mono], 1), rate)
    second = build(tmp_path, {**lines[0], "channel": 1}, *lines[1:])[0]
    assert second.name == "train.wav#channel=1"
    assert np.array_equal(second.features, alone.features)
    both = [{**lines[0], "channel": channel} for channel in (0, 1)]
    assert len(build(tmp_path, *both, *lines[1:])) == 2


def twice(folder, *lines):
    with pytest.raises(CorpusError) as told:
        build(folder, *lines)
    assert told.value.fault.what == "the same recording twice"
    return told.value.fault.given


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "spelling",
    ["./train.wav", "sub/../train.wav", "{folder}/train.wav", "link.wav", "hard.wav", "copy.wav"],
)
def test_a_recording_under_two_names_is_refused(tmp_path, lines, spelling, split):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.wav").symlink_to("train.wav")
    (tmp_path / "hard.wav").hardlink_to(tmp_path / "train.wav")
    shutil.copy(tmp_path / "train.wav", tmp_path / "copy.wav")
    name = spelling.format(folder=tmp_path)
    where = "train" if split == "train" else "train and in test"
    given = twice(tmp_path, *lines, {**lines[0], "audio": name, "split": split, "speaker": "bob"})
    assert given == f"train.wav and {name}, in {where}"


def test_a_recording_in_another_format_is_refused(tmp_path, lines):
    audio, rate = soundfile.read(tmp_path / "train.wav", dtype="float32")
    soundfile.write(tmp_path / "train.flac", audio, rate)
    assert twice(tmp_path, *lines, {**lines[0], "audio": "train.flac"}) == (
        "train.wav and train.flac, in train"
    )


def test_parts_that_overlap_are_refused(tmp_path, lines):
    first, second = part_of(lines[0], 0.0, 0.5), part_of(lines[0], 0.4, 0.6)
    assert len(build(tmp_path, first, second, *lines[1:])) == 2  # by a margin
    assert len(build(tmp_path, first, part_of(lines[0], 0.5, 0.5), *lines[1:])) == 2
    shutil.copy(tmp_path / "train.wav", tmp_path / "copy.wav")
    for other in (
        part_of(lines[0], 0.2, 0.6),
        part_of({**lines[0], "audio": "copy.wav"}, 0.2, 0.6),
        lines[0],
        {**second, "split": "test"},
    ):
        assert "train.wav" in twice(tmp_path, first, other, *lines[1:])


def test_what_is_odd_is_counted_by_name(tmp_path, lines):
    write_audio(tmp_path / "Forgotten.WAV")
    (tmp_path / "._train.wav").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    write_audio(tmp_path / "dev.wav", rate=16_000)
    (tmp_path / "phones.txt").write_text("sil\na\nb\nc\nd\n")
    lines[2]["phones"] = [[0.0, 1.0, "d"]]
    recipe = CorpusRecipe(
        kind="manifest",
        path=str(write_manifest(tmp_path, *lines)),
        phones=str(tmp_path / "phones.txt"),
    )
    assert build_corpus(recipe, FeatureRecipe(mel_bands=8), 0, tmp_path).splitlines() == [
        "train: 1 utterance of 1 speaker, 98 frames, 0.0 min",
        "dev: 1 utterance of 1 speaker, 98 frames, 0.0 min",
        "test: 1 utterance of 1 speaker, 98 frames, 0.0 min",
        "labels that no training utterance has, of 5: 2 (c, d)",
        "labels to be recognised that no training utterance has: 1 (d)",
        "speakers both in train and in dev: 1 (ann)",
        "speakers both in train and in test: 1 (ann)",
        "speakers both in dev and in test: 1 (ann)",
        "recordings at 16000 Hz, where most have 8000 Hz: 1 (dev.wav)",
        f"recordings beside the listed ones that no line names: 1 ({tmp_path}/Forgotten.WAV)",
    ]


def test_a_phone_that_training_lacks_is_refused(tmp_path, lines):
    lines[2]["phones"] = [[0.0, 1.0, "c"]]
    with pytest.raises(CorpusError, match=r"test\.wav: 'c' is none of the corpus's phones") as told:
        build(tmp_path, *lines)
    assert "c" not in told.value.fault.allowed.split()


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


@pytest.mark.parametrize(
    "text",
    ['{"offset": ' + "9" * 5000 + "}", "{", "[1]", "null", "[" * 100_000, '{"audio": 1}', "\x00"],
)
def test_text_that_is_no_manifest_gets_one_sentence(tmp_path, text):
    path = tmp_path / "speech.jsonl"
    path.write_text(text)
    with pytest.raises(CorpusError, match="line 1"):
        manifest.find(CorpusRecipe(kind="manifest", path=str(path)))


def test_a_missing_or_foreign_manifest_gets_one_sentence(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("nothing", "bytes", "."):
        with pytest.raises(CorpusError, match="cannot be read"):
            manifest.find(CorpusRecipe(kind="manifest", path=str(tmp_path / name)))
    (tmp_path / "empty").touch()
    with pytest.raises(CorpusError):
        manifest.find(CorpusRecipe(kind="manifest", path=str(tmp_path / "empty")))
