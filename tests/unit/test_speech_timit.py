"""A copy of TIMIT in small: the same folders, SPHERE audio and label files."""

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
    audio = np.random.default_rng(len(name)).standard_normal(12000) * 0.1
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
    splits = timit.tasks(copy)
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
    ((_, audio, labels),) = timit.tasks(copy)["dev"][0].files[1:]
    assert audio.name == "SX37.WAV.wav"
    assert len(timit.read_recording(audio, labels).audio) == 12000


@pytest.mark.parametrize("path", ["", "TRAIN", "nowhere", "TRAIN/DR1/FCJF0/SX37.PHN"])
def test_a_path_that_is_not_timit_gets_one_sentence(copy, tmp_path, path):
    place = copy / path if path else tmp_path
    with pytest.raises(CorpusError, match="is not TIMIT: it has no folder TRAIN; give the folder"):
        timit.tasks(place)


def test_a_copy_without_core_test_speakers_is_refused(copy):
    for speaker in SPEAKERS["TEST"]:
        if speaker.split("/")[1].lower() in timit.CORE_TEST:
            for path in (copy / "TEST" / speaker).iterdir():
                path.unlink()
    with pytest.raises(CorpusError, match="no speaker of the test set"):
        timit.tasks(copy)


def test_a_label_file_without_audio_is_refused(copy):
    first_of(copy, "SX37.WAV").unlink()
    with pytest.raises(CorpusError, match=r"restore SX37\.WAV"):
        timit.tasks(copy)


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
        ("0 12000 \u00e9\n", "not a list of phone labels"),
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
