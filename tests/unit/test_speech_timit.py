"""A copy of TIMIT in small: the same folders, SPHERE audio and label files."""

import shutil

import numpy as np
import pytest
import soundfile

from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import timit
from ernn.speech.corpus import build_corpus, load_split
from ernn.speech.phones import PHONES

RATE = 16_000
LABELS = [(0, 2000, "h#"), (2000, 3000, "q"), (3000, 5000, "ix"), (5000, 5800, "kcl")]
LABELS += [(5800, 6500, "k"), (6500, 9000, "ao"), (9000, 9800, "pau"), (9800, 12000, "h#")]
SPEAKERS = {
    "TRAIN": ("DR1/FCJF0", "DR1/MDAC0"),
    "TEST": ("DR1/FELC0", "DR1/FAKS0", "DR1/MDAB0", "DR2/MWEW0", "DR1/FJEM0", "DR3/MCSH9"),
}


def write_utterance(folder, name, audio_name="{}.WAV", kind="NIST"):
    folder.mkdir(parents=True, exist_ok=True)
    said = f"{folder.name}/{name}"  # by which no two are the same
    audio = np.random.default_rng([*said.encode()]).standard_normal(12000) * 0.1
    soundfile.write(folder / audio_name.format(name), audio, RATE, format=kind, subtype="PCM_16")
    lines = [f"{start} {end} {label}\n" for start, end, label in LABELS]
    (folder / f"{name}.PHN").write_text("".join(lines))


@pytest.fixture
def copy(tmp_path):
    root = tmp_path / "TIMIT"
    for part, speakers in SPEAKERS.items():
        for speaker in speakers:
            for name in ("SA1", "SA2", "SX37", "SI648"):
                write_utterance(root / part / speaker, name)
    return root


def lowered(root):
    for path in sorted(root.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.lower()))


def first_of(root, pattern):
    return sorted(root.rglob(pattern))[0]


@pytest.mark.parametrize("lower", [False, True])
def test_standard_splits_without_the_sa_sentences(copy, lower):
    if lower:
        lowered(copy)
    splits = timit.find(copy).tasks
    assert [task.name for task in splits["train"]] == ["fcjf0", "mdac0"]
    assert [task.name for task in splits["dev"]] == ["faks0", "fjem0"]
    assert [task.name for task in splits["test"]] == ["felc0", "mdab0", "mwew0"]
    assert [name for name, _, _ in splits["dev"][0].files] == ["faks0_si648", "faks0_sx37"]


def test_the_standard_lists():
    assert len(set(timit.CORE_TEST)) == 24
    assert len(set(timit.DEVELOPMENT)) == 50
    assert not set(timit.CORE_TEST) & set(timit.DEVELOPMENT)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corpus_is_built_from_sphere_files(copy, tmp_path, workers):
    recipe = CorpusRecipe(kind="timit", path=str(copy))
    build_corpus(recipe, FeatureRecipe(), 0, tmp_path, workers)
    assert len(load_split(tmp_path, "train")) == 4
    utterance = load_split(tmp_path, "test")[0]
    assert (utterance.name, utterance.speaker) == ("felc0_si648", "felc0")
    assert [PHONES[p] for p in utterance.phones] == ["sil", "ih", "sil", "k", "aa", "sil"]
    assert utterance.features.shape == (73, 153)
    # q joins the silence before it; frame t is labelled by sample 160 t + 200.
    starts = np.flatnonzero(np.diff(utterance.labels)) + 1
    assert starts.tolist() == [
        -(-(sample - 200) // 160) for sample in (3000, 5000, 5800, 6500, 9000)
    ]


def test_riff_copies_beside_the_originals_are_preferred(copy):
    folder = first_of(copy, "SX37.WAV").parent
    write_utterance(folder, "SX37", "{}.WAV.wav", "WAV")
    (folder / "SX37.WAV").write_bytes(b"NIST_1A\n   1024\nsomething shortened")
    ((_, audio, labels),) = timit.find(copy).tasks["dev"][0].files[1:]
    assert audio.name == "SX37.WAV.wav"
    assert len(timit.read_recording(audio, labels).audio) == 12000


@pytest.mark.parametrize("path", ["", "TRAIN", "nowhere", "TRAIN/DR1/FCJF0/SX37.PHN"])
def test_a_path_that_is_not_timit_gets_one_sentence(copy, tmp_path, path):
    place = copy / path if path else tmp_path
    with pytest.raises(CorpusError, match="is not TIMIT: it has no folder TRAIN; give the folder"):
        timit.find(place)


def test_a_copy_without_core_test_speakers_is_refused(copy):
    for speaker in SPEAKERS["TEST"]:
        if speaker.split("/")[1].lower() in timit.CORE_TEST:
            for path in (copy / "TEST" / speaker).iterdir():
                path.unlink()
    with pytest.raises(CorpusError, match="no speaker of the test set"):
        timit.find(copy)


def test_a_label_file_without_audio_is_refused(copy):
    first_of(copy, "SX37.WAV").unlink()
    with pytest.raises(CorpusError, match=r"restore SX37\.WAV"):
        timit.find(copy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no labels"),
        ("0 12000\n", "not a list of phone labels"),
        ("0 x h#\n", "not a list of phone labels"),
        ("0 12000 sil\n", "not a known TIMIT phone label"),
        ("0 9000 h#\n5000 12000 s\n", "overlap"),
        ("0 0 h#\n0 12000 s\n", "overlap"),
        ("-5 12000 s\n", "overlap"),
        ("0 99999999999999999999999 s\n", "not a list of phone labels"),
        ("0 6000 h#\n", "ends at sample 6000"),
        ("0 12000 \u00e9\n", "not a known TIMIT phone label"),
    ],
)
def test_damaged_labels_are_refused(copy, text, message):
    audio = first_of(copy, "SX37.WAV")
    labels = audio.with_suffix(".PHN")
    labels.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        timit.read_recording(audio, labels)


def test_damaged_audio_is_refused(copy):
    audio = first_of(copy, "SX37.WAV")
    labels = audio.with_suffix(".PHN")
    whole = audio.read_bytes()
    for bad in (b"", b"NIST_1A\n   1024\n", b"not audio at all" * 99, whole[:4000]):
        audio.write_bytes(bad)
        with pytest.raises(CorpusError):
            timit.read_recording(audio, labels)
    soundfile.write(audio, np.zeros((12000, 2)), RATE, format="NIST", subtype="PCM_16")
    with pytest.raises(CorpusError, match="2 channels"):
        timit.read_recording(audio, labels)


def test_labels_missing_beside_audio_are_refused(copy):
    first_of(copy, "SX37.PHN").unlink()
    with pytest.raises(CorpusError, match=r"SX37\.WAV has no labels beside it") as told:
        timit.find(copy)
    assert told.value.fault.remedy == "restore SX37.PHN"


@pytest.mark.parametrize(
    "place", ["TRAIN/backup/FCJF0", "TRAIN/DR1/DR1/FCJF0", "TRAIN/DR1/FCJF0/FCJF0"]
)
def test_a_second_copy_inside_the_folder_is_refused(copy, place):
    shutil.copytree(copy / "TRAIN" / "DR1" / "FCJF0", copy / place)
    with pytest.raises(CorpusError) as told:
        timit.find(copy)
    assert told.value.fault.what == "the same recording twice"
    assert told.value.fault.given.count("FCJF0/SI648.PHN") == 2


def test_a_second_copy_under_another_name_is_refused(copy, tmp_path):
    shutil.copytree(copy / "TRAIN" / "DR1" / "FCJF0", copy / "TRAIN" / "DR1" / "FCJF0 (copy)")
    with pytest.raises(CorpusError) as told:
        build_corpus(CorpusRecipe(kind="timit", path=str(copy)), FeatureRecipe(), 0, tmp_path)
    assert told.value.fault.given == "fcjf0_si648 and fcjf0 (copy)_si648, in train"


def test_names_that_differ_in_case_are_refused(copy):
    path = first_of(copy, "SX37.PHN")
    shutil.copy(path, path.with_name("sx37.phn"))
    with pytest.raises(CorpusError, match="have the same name; keep one"):
        timit.find(copy)


def test_what_systems_leave_in_folders_does_not_count(copy):
    before = timit.find(copy)
    for folder in [copy, *(path for path in copy.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._SX37.PHN", "._SX37.WAV"):
            (folder / name).write_bytes(b"\0\5\x16\7")
    write_utterance(copy / "TRAIN" / "__MACOSX" / "FCJF0", "SX37")
    assert timit.find(copy) == before
    assert not [path for path in timit.sources(copy) if path.name.startswith((".", "Thumbs"))]


def test_an_incomplete_copy_is_told(copy, tmp_path):
    told = build_corpus(CorpusRecipe(kind="timit", path=str(copy)), FeatureRecipe(), 0, tmp_path)
    test = "its core test set has 3 of 24 speakers and 6 of 192 sentences"
    assert test in told and "its train set has 2 of 462 speakers and 4 of 3696" in told
    assert "core test set who are missing: 21 (mwbt0, mtas1, fpas0" in told
    assert "core test set without 8 sentences: 3 (mdab0, felc0, mwew0)" in told
    assert "SA), not used: 4 (fcjf0_sa1" in told
    assert "in neither the development nor the core test set, not used: 1 (mcsh9)" in told
    assert "train: 4 utterances of 2 speakers" in told


def test_a_complete_copy_is_not_complained_about(copy):
    for speaker in timit.CORE_TEST + timit.DEVELOPMENT:
        for number in range(8):
            write_utterance(copy / "TEST" / "DR1" / speaker.upper(), f"SX{number}")
    for path in copy.rglob("TEST/DR[123]/*/S[XI][0-9][0-9]*"):
        path.unlink()
    told = timit.find(copy)
    assert [line for line in told.sentences if "train set" not in line] == []
    assert not any(names for what, names in told.notes.items() if "core test set w" in what)


def test_a_hole_is_told(copy, tmp_path):
    audio = first_of(copy / "TRAIN", "SX37.WAV")
    whole = audio.read_bytes()
    audio.write_bytes(whole[: 1024 + 6000] + bytes(len(whole) - 1024 - 6000))
    told = build_corpus(CorpusRecipe(kind="timit", path=str(copy)), FeatureRecipe(), 0, tmp_path)
    assert "more than 0.5 s of one value, not even noise: 1 (fcjf0_sx37)" in told
