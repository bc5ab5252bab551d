"""Data folders of Kaldi, written with kaldiio: what they become, and what is refused."""

import gzip

import kaldiio
import numpy as np
import pytest
from deadlines import each
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.recipe import CorpusRecipe, FeatureRecipe
from ernn.speech import kaldi
from ernn.speech.corpus import SPLITS, build_corpus, load_split
from ernn.speech.labels import JOINS
from ernn.speech.scorer import Scorer

TABLE = "<eps> 0\nSIL 1\nAA 2\nq 3\nB_S 7\n#0 8\n#1 9\n"
LENGTH = 20
FRAMES = (1,) * 4 + (2,) * 5 + (7,) * 3 + (2,) * 2 + (1,) * 6  # numbers of phones
SPEAKERS = {"ann_1": "ann", "bob_1": "bob", "ann_2": "ann"}
OTHERS = {"dev": {"eve_1": "eve"}, "test": {"ida_1": "ida", "ida_2": "ida"}}


def features(name, frames=LENGTH, size=5):
    rng = np.random.default_rng(list(name.encode()))
    return (40 * rng.standard_normal((frames, size)) + 100).astype(np.float32)


def said_in(folder):
    """Return utterances and speakers of a split."""
    return OTHERS.get(folder.name, SPEAKERS)


def write_features(folder, **changed):
    arrays = {name: features(name) for name in said_in(folder)} | changed
    ark, scp = (str(folder / f"feats.{end}") for end in ("ark", "scp"))
    kaldiio.save_ark(ark, arrays, scp=scp)


def write_labels(folder, kind, **changed):
    """Write one kind of labels instead of those that are there."""
    for path in (*folder.glob("ali.*"), *folder.glob("text")):
        path.unlink()
    numbers = dict.fromkeys(said_in(folder), FRAMES) | changed
    if kind == "text":
        lines = [f"{name} SIL AA B_S AA SIL\n" for name in numbers]
        (folder / kind).write_text("".join(lines))
    elif kind == "ali.txt":
        lines = [f"{name} {' '.join(map(str, values))}\n" for name, values in numbers.items()]
        (folder / kind).write_text("".join(lines))
    else:
        arrays = {name: np.array(values, np.int32) for name, values in numbers.items()}
        scp = str(folder / "ali.scp") if kind == "ali.scp" else None
        kaldiio.save_ark(str(folder / "ali.ark"), arrays, scp=scp)


@pytest.fixture
def data(tmp_path):
    """The data folders of three splits, aligned, and a table of phones."""
    root = tmp_path / "data"
    for split in SPLITS:
        folder = root / split
        folder.mkdir(parents=True)
        lines = [f"{name} {speaker}\n" for name, speaker in said_in(folder).items()]
        (folder / "utt2spk").write_text("".join(lines))
        write_features(folder)
        write_labels(folder, "ali.scp")
    (root / "phones.txt").write_text(TABLE)
    return root


def build(data, folder=None, every=1, workers=1, **changes):
    recipe = CorpusRecipe(
        kind="kaldi", **{"path": str(data), "phones": str(data / "phones.txt"), **changes}
    )
    folder = folder or data.parent
    build_corpus(recipe, FeatureRecipe(keep_every=every), 0, folder, workers)
    return load_split(folder, "train")


@pytest.mark.parametrize("kind", ["ali.scp", "ali.ark", "ali.txt"])
def test_aligned_folders_become_a_corpus(data, kind):
    for split in each(SPLITS):
        write_labels(data / split, kind)
        (data / split / "text").write_text("ann_1 words which nobody reads\n")
    train = build(data)
    assert train.phones == ("SIL", "AA", "q", "B_S")
    assert train.feature_size == 5
    # Speaker by speaker, so that a speaker's features are normalised in one place.
    assert [(u.name, u.speaker) for u in train] == [
        ("ann_1", "ann"),
        ("ann_2", "ann"),
        ("bob_1", "bob"),
    ]
    for u in each(train):
        assert u.labels.tolist() == [{1: 0, 2: 1, 7: 3}[number] for number in FRAMES]
        assert u.phones.tolist() == [0, 1, 3, 1, 0]


def test_features_are_normalised_over_each_speaker(data):
    train = build(data)
    raw = np.concatenate([features("ann_1"), features("ann_2")])
    expected = (raw - raw.mean(0)) / raw.std(0)
    read = np.concatenate([u.features for u in train if u.speaker == "ann"])
    np.testing.assert_allclose(read, expected, atol=5e-3)  # float16, and compressed by kaldiio


def test_every_second_frame_is_kept_with_its_label(data, tmp_path):
    whole = build(data)
    (tmp_path / "half").mkdir()
    half = build(data, tmp_path / "half", every=2)
    for long, short in zip(whole, half, strict=True):
        assert np.array_equal(long.features[::2], short.features)
        assert np.array_equal(long.labels[::2], short.labels)
        assert np.array_equal(long.phones, short.phones)


def test_any_number_of_processes_writes_the_same(data, tmp_path):
    (tmp_path / "two").mkdir()
    build(data)
    build(data, tmp_path / "two", workers=2)
    for split in SPLITS:
        name = f"{split}.safetensors"
        assert (tmp_path / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("table", [True, False])
def test_phone_strings_give_a_corpus_for_ctc(data, table):
    for split in each(SPLITS):
        write_labels(data / split, "text")
    train = build(data, **({} if table else {"phones": None}))
    assert train.phones == (("SIL", "AA", "q", "B_S") if table else ("AA", "B_S", "SIL"))
    for u in each(train):
        assert u.labels is None
        assert [train.phones[p] for p in u.phones] == ["SIL", "AA", "B_S", "AA", "SIL"]
    with pytest.raises(CorpusError, match='set loss = "ctc" in the recipe'):
        Scorer.fit(train, 2)


def test_timit_folds_to_39(data):
    names = "sil cl vcl ix kcl q zh h#".split()
    (data / "phones.txt").write_text("".join(f"{name} {n}\n" for n, name in enumerate(names, 1)))
    for split in SPLITS:
        frames = [8, 8, 1, 6, 2, 4, 6, 6, 5, 7]  # h# h# sil q cl ix q q kcl zh
        said = said_in(data / split)
        write_features(data / split, **{name: features(name, len(frames)) for name in said})
        write_labels(data / split, "ali.ark", **dict.fromkeys(said, frames))
    train = build(data, fold="timit")
    assert len(train.phones) == 39
    told = [train.phones[label] for label in train[0].labels]
    assert told == ["sil"] * 5 + ["ih"] * 3 + ["sil", "sh"]  # q joins the phone before it
    assert [train.phones[phone] for phone in train[0].phones] == ["sil", "ih", "sil", "sh"]


def test_a_table_folds_to_labels_of_ones_own(data):
    (data / "fold.txt").write_text("SIL quiet\nAA vowel\nB_S consonant\nq\n")
    train = build(data, fold=str(data / "fold.txt"))
    assert train.phones == ("quiet", "vowel", "consonant")
    assert [train.phones[p] for p in train[0].phones] == "quiet vowel consonant vowel quiet".split()


@given(st.lists(st.sampled_from([JOINS, 0, 1, 2]), max_size=20))
def test_frames_without_a_label_join_the_phone_before(labels):
    joined = kaldi._join(np.array(labels, np.int16)).tolist()
    known = [label for label in labels if label != JOINS]
    last, expected = known[0] if known else None, []
    for label in labels:
        last = last if label == JOINS else label
        expected.append(last)
    assert joined == (expected if known else [])


def test_the_files_of_a_corpus_are_known(data):
    recipe = CorpusRecipe(kind="kaldi", path=str(data), phones=str(data / "phones.txt"))
    there = {path for path in kaldi.sources(recipe) if path.is_file()}
    assert there == {path for path in data.rglob("*") if path.is_file()}


def without(name):
    def change(folder):
        (folder / name).unlink()

    return change


def replaced(name, old, new):
    def change(folder):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def feats(**changed):
    return lambda folder: write_features(folder, **changed)


def numbers(**changed):
    return lambda folder: write_labels(folder, "ali.scp", **changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("feats.scp"), "feats.scp cannot be read"),
        (without("feats.ark"), "no such file"),
        (without("utt2spk"), "utt2spk cannot be read"),
        (replaced("utt2spk", "bob_1 bob", ""), "no speaker for 1 of 3 utterances .* bob_1"),
        (replaced("utt2spk", "bob_1 bob", "bob_1"), "no speaker for 1 of 3 utterances .* bob_1"),
        (replaced("ali.scp", "ann_2", "ann_3"), "no phones for 1 of 3 utterances .* ann_2"),
        (lambda folder: (folder / "feats.scp").write_text(""), "names no utterance"),
        (feats(ann_2=np.full((20, 5), np.nan, np.float32)), "ann_2 has features that are NaN"),
        (feats(ann_2=np.full((20, 5), np.inf, np.float32)), "ann_2 has features that are NaN"),
        (feats(ann_2=features("x", 20, 6)), "speaker ann has features of 5 and of 6 values"),
        (feats(bob_1=features("x", 20, 6)), "bob_1 has 6 values a frame and ann_1 has 5"),
        (feats(bob_1=features("x", 19)), "bob_1 has an alignment of 20 frames .* of 19"),
        (feats(bob_1=features("x", 0)), "bob_1 has 0 frames of 5 values"),
        (feats(bob_1=features("x", 20, 5000)), "bob_1 has 20 frames of 5000 values"),
        (feats(bob_1=np.arange(20, dtype=np.float32)), "no matrix"),
        (feats(bob_1=np.arange(20, dtype=np.int32)), "no matrix"),
        (numbers(bob_1=(*FRAMES[1:], 4)), "bob_1: phone number 4 is not in the table"),
        (numbers(bob_1=(*FRAMES[1:], 0)), "bob_1: phone number 0 is not in the table"),
        (numbers(bob_1=()), "no phones for 1 of 3 utterances .* bob_1"),
        (numbers(bob_1=FRAMES * 2), "bob_1 has an alignment of 40 frames"),
    ],
)
def test_bad_folders_get_one_sentence(data, change, message):
    change(data / "train")
    with pytest.raises(CorpusError, match=message) as told:
        build(data)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SIL AA ZZ", "eve_1: 'ZZ' is none of the corpus's phones"),
        ("", "no phones for 1 of 1 utterances .* eve_1"),
        ("AA SIL " * 11, "eve_1 needs 22 frames for its 22 phones but has 20"),
    ],
)
def test_bad_phone_strings_get_one_sentence(data, text, message):
    for split in SPLITS:
        write_labels(data / split, "text")
    replaced("text", "eve_1 SIL AA B_S AA SIL", f"eve_1 {text}")(data / "dev")
    with pytest.raises(CorpusError, match=message):
        build(data)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("SIL\nAA 2\n", "a line without a number"),
        ("SIL 1\nSIL 2\n", "two lines for 'SIL'"),
        ("SIL 1\n", "1 different phones .allowed: 2 to 1000"),
        ("".join(f"p{n} {n}\n" for n in range(1001)), "1001 different phones"),
        ("SIL 1\nAA 1\n", "the same number"),
    ],
)
def test_bad_tables_of_phones_get_one_sentence(data, table, message):
    (data / "phones.txt").write_text(table)
    with pytest.raises(CorpusError, match=message):
        build(data)


def test_alignments_need_a_table_and_all_splits_alike(data):
    with pytest.raises(CorpusError, match=r"set corpus\.phones to the phones\.txt"):
        build(data, phones=None)
    write_labels(data / "dev", "text")
    with pytest.raises(CorpusError, match="ann_1 has phones with times and eve_1 has phones alone"):
        build(data)
    with pytest.raises(CorpusError, match=r"nowhere.*cannot be read"):
        build(data, train_folder="nowhere")


def test_no_utterance_is_in_two_splits(data):
    with pytest.raises(CorpusError, match="twice: ann_1, in train and in test"):
        build(data, test_folder="train")


def test_an_archive_entry_is_used_once(data):
    """Under another name, by a link, within a split: the same place is the same speech."""
    listed = (data / "train" / "feats.scp").read_text().splitlines()
    place = listed[0].split()[1]
    archive, offset = place.rsplit(":", 1)
    (data / "link.ark").symlink_to(archive)
    for name in (place, f"{data / 'link.ark'}:{offset}"):
        (data / "train" / "feats.scp").write_text("\n".join([*listed[:2], f"ann_2 {name}"]))
        with pytest.raises(CorpusError) as told:
            build(data)
        assert told.value.fault.given == "ann_1 and ann_2, in train"


def test_a_copied_matrix_is_noticed(data):
    write_features(data / "test", ida_2=features("ann_1"))
    with pytest.raises(CorpusError) as told:
        build(data)
    assert told.value.fault.given == "ann_1 and ida_2, in train and in test"


def test_what_is_not_used_is_counted_by_name(data, tmp_path):
    write_labels(data / "train", "ali.scp", zoe_1=FRAMES, zoe_2=FRAMES)
    with (data / "dev" / "utt2spk").open("a") as table:
        table.write("yan_1 yan\n")
    recipe = CorpusRecipe(kind="kaldi", path=str(data), phones=str(data / "phones.txt"))
    told = build_corpus(recipe, FeatureRecipe(), 0, tmp_path).splitlines()
    assert told == [
        "train: 3 utterances of 2 speakers, 60 frames",
        "dev: 1 utterance of 1 speaker, 20 frames",
        "test: 2 utterances of 1 speaker, 40 frames",
        "labels that no training utterance has, of 4: 1 (q)",
        "utterances of train with a speaker or phones but no features, not used: 2 (zoe_1, zoe_2)",
        "utterances of dev with a speaker or phones but no features, not used: 1 (yan_1)",
    ]


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n\n", "\t\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lists_of_other_systems_are_read(data, tmp_path, ending, mark):
    build(data)
    plain = (tmp_path / "train.safetensors").read_bytes()
    for path in [*data.rglob("*.scp"), *data.rglob("utt2spk"), data / "phones.txt"]:
        text = path.read_text().replace(" ", " \t", 1).replace("\n", ending)
        path.write_bytes((mark + text).encode())
    build(data)
    assert (tmp_path / "train.safetensors").read_bytes() == plain


@pytest.mark.parametrize("name", ["feats.scp", "utt2spk", "feats.ark"])
def test_compressed_files_get_the_remedy(data, name):
    path = data / "train" / name
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(CorpusError) as told:
        build(data)
    assert (told.value.fault.given, told.value.fault.remedy) == (
        "it is compressed",
        "unpack it with gunzip",
    )


@pytest.mark.parametrize("name", ["feats.scp", "ali.1.gz"])
def test_files_that_are_there_compressed_only_get_the_remedy(data, name):
    path = data / "train" / name
    if name == "feats.scp":
        path.rename(path.with_name("feats.scp.gz"))
    else:
        write_labels(data / "train", "ali.ark")
        (data / "train" / "ali.ark").rename(path)
    with pytest.raises(CorpusError) as told:
        build(data)
    assert ".gz" in str(told.value) and told.value.fault.remedy


def test_recordings_without_features_get_the_remedy(data):
    (data / "train" / "feats.scp").rename(data / "train" / "wav.scp")
    with pytest.raises(CorpusError, match=r"wav\.scp but no feats\.scp; make features"):
        build(data)


def test_a_broken_test_split_is_noticed(data):
    write_features(data / "test", ida_2=features("x", 20, 6))
    with pytest.raises(CorpusError, match="speaker ida has features of 5 and of 6 values"):
        build(data)
