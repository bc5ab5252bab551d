"""The compressed link: what is sent comes back to the bit, whatever happens to other frames."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from links import FEATURES, draw_tables, speak

from ernn.errors import ModelFileError, ShapeError
from ernn.link.codes import fit_codes, folded, lengths, unfolded, write
from ernn.link.frames import ESCAPED, FLAG, Receiver, checksum, encode, frame, groups
from ernn.link.tables import ESCAPE, LinkTables

seeds = st.integers(0, 2**32 - 1)
group_sizes = st.sampled_from([1, 2, 4, 8])


def expected(tables: LinkTables, utterance: np.ndarray) -> np.ndarray:
    """What the board makes of an utterance."""
    raw = tables.restore(tables.quantize(groups(tables, utterance)))
    return raw.reshape(-1, tables.features)[: len(utterance)]


@settings(max_examples=30, deadline=None)
@given(seeds, group_sizes, st.integers(1, 5), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_what_is_sent_comes_back(seed, group, streams, sizes):
    rng = np.random.default_rng(seed)
    tables = draw_tables(rng, group, streams)
    spoken = [speak(rng, size) for size in sizes]
    stream = int(rng.integers(streams))
    receiver = Receiver(tables)
    received = receiver.push(b"".join(encode(tables, spoken, stream, first=3)))
    assert (receiver.good, receiver.bad) == (len(received), 0)
    assert {one.stream for one in received} == {stream}
    wanted = [expected(tables, utterance) for utterance in spoken]
    assert np.array_equal(np.concatenate([one.vectors for one in received]), np.concatenate(wanted))
    begins = np.cumsum([0, *sizes[:-1]])
    told = np.cumsum([0, *[len(one.vectors) for one in received[:-1]]])
    assert [at for at, one in zip(told, received, strict=True) if one.starts] == list(begins)


@settings(max_examples=60, deadline=None)
@given(seeds, group_sizes, st.data())
def test_a_damaged_frame_harms_no_other(seed, group, data):
    """Bytes of one frame are changed, lost, doubled or cut: it is dropped, and counted once."""
    rng = np.random.default_rng(seed)
    tables = draw_tables(rng, group, 1)
    sent = encode(tables, [speak(rng, 6 * group)])
    which = data.draw(st.integers(0, len(sent) - 1))
    hurt = bytearray(sent[which])
    at = data.draw(st.integers(0, len(hurt) - 1))
    kind = data.draw(st.sampled_from(["flip", "lose", "cut"]))
    if kind == "flip":
        hurt[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del hurt[at : at + 1 if kind == "lose" else None]
    receiver = Receiver(tables)
    line = [*sent[:which], bytes(hurt), *sent[which + 1 :], bytes([FLAG])]  # the last one ends
    received = receiver.push(b"".join(line))
    whole = Receiver(tables).push(b"".join(sent[:which] + sent[which + 1 :]))
    assert receiver.good == len(sent) - 1
    # A frame that is gone whole leaves nothing to count; a byte that became a flag leaves two.
    assert receiver.bad in ((0, 1) if not hurt else (1, 2))
    for one, other in zip(received, whole, strict=True):
        assert np.array_equal(one.vectors, other.vectors)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), seeds)
def test_whatever_came_before_a_whole_frame_is_taken(junk, seed):
    rng = np.random.default_rng(seed)
    tables = draw_tables(rng, 2, 3)
    utterance = speak(rng, 2)
    receiver = Receiver(tables)
    received = receiver.push(junk + b"".join(encode(tables, [utterance], 1)))
    assert np.array_equal(received[-1].vectors, expected(tables, utterance))
    assert receiver.bad <= len(junk)


def test_a_lost_start_is_noticed():
    """The first frame of an utterance is lost; the second one begins it."""
    rng = np.random.default_rng(1)
    tables = draw_tables(rng, 1, 1)
    sent = encode(tables, [speak(rng, 3), speak(rng, 3)])
    received = Receiver(tables).push(b"".join(sent[:3] + sent[4:]))
    assert [one.starts for one in received] == [True, False, False, True, False]


def test_a_stream_of_other_tables_is_refused():
    rng = np.random.default_rng(2)
    tables = draw_tables(rng, 2, 1)
    synthesis = tables.synthesis.copy()
    synthesis[0, 0] ^= 1
    other = replace(tables, synthesis=synthesis)
    assert other.id != tables.id
    receiver = Receiver(other)
    assert not receiver.push(b"".join(encode(tables, [speak(rng, 20)])))
    assert (receiver.good, receiver.bad) == (0, 10)


def test_the_checksum_is_the_published_one():
    assert checksum(b"123456789", 0xFFFF) == 0x29B1  # CRC-16/IBM-3740


def test_flags_stand_only_in_front():
    made = frame(int.from_bytes(bytes([FLAG, ESCAPED, FLAG])), 24, 0)
    assert made[0] == FLAG and FLAG not in made[1:]
    assert made[1:7] == b"\x7d\x5e\x7d\x5d\x7d\x5e"


@given(st.integers(-(2**15), 2**15))
def test_folding_is_undone(number):
    assert unfolded(int(folded(np.array(number)))) == number


@settings(max_examples=30, deadline=None)
@given(seeds, group_sizes)
def test_lengths_are_those_of_what_is_written(seed, group):
    rng = np.random.default_rng(seed)
    tables = draw_tables(rng, group, 1)
    indices = tables.quantize(groups(tables, speak(rng, 50)))
    assert lengths(tables, indices).tolist() == [count for _, count in write(tables, indices)]


def test_flags_and_parameters_fit_the_numbers():
    """Numbers that are mostly zero cost less than a bit; large ones get a parameter."""
    rng = np.random.default_rng(3)
    large = np.round(rng.laplace(scale=20, size=(4000, 2))).astype(int)
    rare = (rng.random((4000, 12)) < 0.01).astype(int)
    rice, flagged = fit_codes(np.hstack([large, rare]), 12)
    assert (rice[:2] >= 4).all() and not rice[2:].any()
    assert not flagged[:2].any() and flagged[2:].any()


def test_an_escaped_number_comes_back():
    rng = np.random.default_rng(4)
    tables = draw_tables(rng, 1, 1)
    tables = replace(tables, rice=np.zeros_like(tables.rice), flagged=np.zeros_like(tables.rice))
    utterance = np.full((1, FEATURES), 7.9) * np.sign(tables.analysis[0])
    assert np.abs(tables.quantize(utterance)).max() > ESCAPE
    received = Receiver(tables).push(b"".join(encode(tables, [utterance])))
    assert np.array_equal(received[0].vectors, expected(tables, utterance))


def test_tables_come_back_from_their_file(tmp_path):
    tables = draw_tables(np.random.default_rng(5), 4, 2)
    tables.save(tmp_path / "link.safetensors")
    again = LinkTables.load(tmp_path / "link.safetensors")
    assert again.id == tables.id
    assert np.array_equal(again.analysis, tables.analysis)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "link.safetensors"
    path.write_bytes(b"no tables")
    with pytest.raises(ModelFileError, match=r"link\.safetensors"):
        LinkTables.load(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"group": 3}, "a group of 3 frames"),
        ({"streams": 0}, "0 streams"),
        ({"rice": np.full(6, 8)}, "parameters 8 to 8"),
        ({"flagged": np.full(6, 2)}, "flags other than"),
        ({"mean": np.zeros(3)}, "mean of shape"),
        ({"synthesis": np.full((6, 2 * FEATURES), 1 << 20)}, "synthesis holds"),
    ],
)
def test_tables_that_no_link_has_are_refused(change, told):
    tables = draw_tables(np.random.default_rng(6), 2, 1)
    assert tables.indices == 6
    with pytest.raises(ShapeError, match=told):
        replace(tables, **change)


def test_utterances_of_another_size_are_refused():
    tables = draw_tables(np.random.default_rng(7), 2, 1)
    for wrong in (np.zeros((0, FEATURES)), np.zeros((3, FEATURES + 1)), np.zeros(3)):
        with pytest.raises(ShapeError, match="an utterance of shape"):
            encode(tables, [wrong])
    with pytest.raises(ShapeError, match="stream 1"):
        encode(tables, [speak(np.random.default_rng(0), 1)], stream=1)
