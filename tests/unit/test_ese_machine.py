"""ESE's encoding and machine: round trips, hand-made cases, and a model that steps every cycle."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.errors import ShapeError
from ernn.ese.encoding import Encoded, encode
from ernn.ese.machine import PIPELINE, Machine


@st.composite
def matrices(draw, rows=70, cols=7):
    """Sparse matrices of integers, of any size and number of zeros."""
    shape = draw(st.integers(1, rows)), draw(st.integers(1, cols))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kept = rng.random(shape) < draw(st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]))
    return rng.integers(-2048, 2048, shape) * kept


class Stepped:
    """The machine told as a story: one cycle after the other, one PE after the other."""

    def __init__(self, pes: int, queue: int) -> None:
        self.pes, self.depth = pes, queue

    def run(self, work: list[tuple[Encoded, np.ndarray]]) -> tuple[int, list[dict[int, int]]]:
        """Return the cycles, and the sums of each matrix by row, of one channel."""
        to_send = deque(
            (index, column, int(vector[column]))
            for index, (_, vector) in enumerate(work)
            for column in range(len(vector))
            if vector[column]
        )
        queues = [deque() for _ in range(self.pes)]
        now, sums = [None] * self.pes, [{} for _ in work]
        first = [np.cumsum([0, *one.pointers[:, -1]]) for one, _ in work]  # entries of each PE
        cycle = 0
        while to_send or any(queues) or any(now):
            full = any(len(queue) == self.depth for queue in queues)
            for pe in range(self.pes):
                if now[pe] is None and queues[pe]:
                    index, column, value = queues[pe].popleft()
                    low, high = work[index][0].pointers[pe, column : column + 2]
                    now[pe] = [index, value, int(low), int(high), pe - self.pes]
                if now[pe] is not None:
                    index, value, entry, end, row = now[pe]
                    if entry < end:
                        place = first[index][pe] + entry
                        row += self.pes * (int(work[index][0].skips[place]) + 1)
                        product = int(work[index][0].weights[place]) * value
                        sums[index][row] = sums[index].get(row, 0) + product
                        entry += 1
                    now[pe] = [index, value, entry, end, row] if entry < end else None
            if to_send and not full:
                item = to_send.popleft()
                for queue in queues:
                    queue.append(item)
            cycle += 1
        return cycle + PIPELINE if cycle else 0, sums


@given(matrices(), st.integers(1, 9), st.integers(1, 5))
def test_what_is_encoded_is_decoded(matrix, pes, index_bits):
    coded = encode(matrix, pes, index_bits=index_bits)
    assert (coded.decode() == matrix).all()
    assert coded.skips.max(initial=0) < 2**index_bits and coded.skips.min(initial=0) >= 0
    assert coded.stored - coded.padding == np.count_nonzero(matrix)


def test_padding_is_put_where_an_index_does_not_reach():
    """Of 34 rows, weights in rows 0, 16 and 33: 15 zeros need none, 16 need one."""
    column = np.zeros((34, 1), np.int64)
    column[[0, 16, 33], 0] = 5, -6, 7
    coded = encode(column, 1)
    assert coded.weights.tolist() == [5, -6, 0, 7] and coded.skips.tolist() == [0, 15, 15, 0]
    assert coded.pointers.tolist() == [[0, 4]]
    assert coded.bits == {"weights": 48, "indices": 16, "pointers": 2 * 3}
    assert coded.padding == 1


def test_zeros_below_the_last_weight_cost_nothing():
    column = np.zeros((4000, 2), np.int64)
    column[1, 1] = 1
    assert encode(column, 2).stored == 1


def test_rows_are_dealt_in_turn():
    coded = encode(np.arange(1, 8)[:, None], 3)
    assert coded.weights.tolist() == [1, 4, 7, 2, 5, 3, 6]
    assert coded.pointers[:, -1].tolist() == [3, 2, 2]


def test_weights_wider_than_their_bits_are_refused():
    with pytest.raises(ShapeError, match=r"0 to 2048 \(allowed: -2048 to 2047, in 12 bits\)"):
        encode(np.array([[0, 2048]]))


def test_an_index_that_leads_nowhere_is_refused():
    coded = encode(np.array([[0], [1]]), 1)
    coded.skips[0] = 9
    with pytest.raises(ShapeError, match=r"row 9 \(allowed: 0 to 1\)"):
        coded.decode()


@settings(max_examples=200)
@given(
    st.lists(matrices(40, 12), min_size=1, max_size=3),
    st.integers(1, 5),
    st.integers(1, 9),
    st.integers(1, 3),
    st.data(),
)
def test_every_cycle_and_product_is_that_of_the_stepped_machine(found, pes, queue, channels, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    share = data.draw(st.sampled_from([0.0, 0.3, 1.0]))
    coded = [encode(one, pes) for one in found]
    vectors = [
        rng.integers(-(2**15), 2**15, (channels, one.cols)) * (rng.random(one.cols) < share)
        for one in coded
    ]
    machine = Machine(pes, channels, queue)
    cycles, busy = machine.cycles(coded, [(one != 0).any(0) for one in vectors])
    # the stepped machine has one channel: any that is 0 where and only where all are
    one_channel = [np.where((one != 0).any(0), one[0] + (one[0] == 0), 0) for one in vectors]
    expected, sums = Stepped(pes, queue).run(list(zip(coded, one_channel, strict=True)))
    assert cycles == expected and (busy <= max(cycles - PIPELINE, 0)).all()
    for matrix, one, vector, told in zip(found, coded, one_channel, sums, strict=True):
        [product] = machine.products(one, vector[None])
        assert product.tolist() == [told.get(row, 0) for row in range(one.rows)]
        assert (product == matrix @ vector).all()
    for matrix, one, every in zip(found, coded, vectors, strict=True):
        assert (machine.products(one, every) == every @ matrix.T).all()


def test_one_pe_takes_a_cycle_for_an_entry():
    coded = encode(np.ones((10, 3), np.int64), 1)
    assert Machine(1, 1).cycles([coded])[0] == 1 + 30 + PIPELINE  # sent, worked off, written


def test_a_short_queue_waits_for_the_slowest():
    """Two PEs that have 8 and 1 entries, ten columns long each: a deep queue hides it."""
    heavy = np.arange(40) // 10 % 2 == 0
    matrix = np.zeros((16, 40), np.int64)
    matrix[0::2, heavy], matrix[0, ~heavy] = 1, 1
    matrix[1::2, ~heavy], matrix[1, heavy] = 1, 1
    shallow, deep = (Machine(2, 1, queue).cycles([encode(matrix, 2)])[0] for queue in (1, 64))
    assert deep == 1 + 20 * 9 + PIPELINE
    assert shallow > 1.5 * deep
