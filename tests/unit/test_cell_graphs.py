"""The graphs of the cells against the equations that were written by hand before them."""

from itertools import product

import hand_written_cells as cells
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import random_integer_model

from ernn.cells import CELLS, cell_named
from ernn.errors import Fault, ShapeError
from ernn.fixed import QFormat
from ernn.graphs.cell import Act, Cell, Dot2, Lerp, Matvec, Move, Mul, Options, reads
from ernn.quant.integer_model import IntegerLayer, IntegerModel
from ernn.quant.operations import IntegerOperations, formats, operation_bits
from ernn.recipe import QuantizationRecipe

BITS = [(12, 12, 16), (4, 5, 8), (10, 16, 18)]
HIDDEN = 3


@pytest.fixture(scope="module", params=BITS, ids=lambda bits: "w{}a{}s{}".format(*bits))
def model(request) -> IntegerModel:
    weight_bits, activation_bits, state_bits = request.param
    settings = QuantizationRecipe(
        weight_bits=weight_bits, activation_bits=activation_bits, state_bits=state_bits
    )
    return random_integer_model(np.random.default_rng(3), settings, cell="lstm", peepholes=True)


def every(cell: Cell) -> list[Options]:
    """All options that make a difference to a cell."""
    found = {}
    for activation in cell.activations or ("tanh",):
        for peepholes, projection in product((False, True), repeat=2):
            options = Options(activation, peepholes, projection)
            found.setdefault(cell.nodes(options), options)
    return list(found.values())


each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
several = settings(max_examples=40, deadline=None)


@each_cell
def test_a_graph_reads_only_what_was_made_before(cell):
    for options in every(cell):
        known = {cell.state.name} if cell.state else set()
        known |= {name for one in cell.parameters.values() for name in one.values}
        vectors = {"x", "h"}
        for node in cell.nodes(options):
            if isinstance(node, Matvec):
                assert {vector for vector, _ in node.parts} <= vectors
                assert len(node.rows) == len(node.gates)
                made = node.rows
            else:
                assert set(reads(node)) <= known
                made = (node.out,)
                vectors |= {node.out} if node.to == "vector" else set()
            assert not set(made) & known, "a value is made once"
            known |= set(made)
        assert {"h"} <= known
        assert cell.state is None or cell.state.next in known
        assert set(cell.signals) <= known


@each_cell
def test_regions_are_the_runs_between_products(cell):
    for options in every(cell):
        regions = cell.regions(options)
        operations = [n for n in cell.nodes(options) if not isinstance(n, Matvec)]
        assert [node for region in regions for node in region.nodes] == operations
        for region in regions:
            made = {node.out for node in region.nodes}
            assert set(region.writes) <= made
            assert not set(region.reads) & made


def test_what_crosses_regions():
    before, after = CELLS["gru_before"].regions(Options())
    assert (before.unit, before.reads, before.writes) == (
        "gru_reset",
        ("row_z", "row_r", "state"),
        ("z", "rh"),
    )
    assert (after.unit, after.reads, after.writes) == (
        "gru_update",
        ("row_n", "state", "z"),
        ("state_next", "h"),
    )
    lstm, projection = CELLS["lstm"].regions(Options(projection=True))
    assert (lstm.reads[-1], lstm.writes) == ("row_o", ("c_next", "m"))
    assert (projection.reads, projection.writes) == (("row_y",), ("h",))


def test_what_is_bounded():
    gru, lstm = CELLS["gru_before"], CELLS["lstm"]
    assert not {"state", "state_next", "rh", "h", "z", "n"} & gru.unbounded(Options())
    free = lstm.unbounded(Options(projection=True))
    assert {"c", "c_next", "h"} <= free and not {"m", "i", "tanh_c"} & free
    assert "h" not in lstm.unbounded(Options())


def draw(data, form, shape: tuple[int, ...]) -> np.ndarray:
    """Raw integers, often corners."""
    corners = [form.min_raw, form.max_raw, 0, -1, 1]
    one = st.one_of(st.sampled_from(corners), st.integers(form.min_raw, form.max_raw))
    size = int(np.prod(shape))
    return np.array(data.draw(st.lists(one, min_size=size, max_size=size))).reshape(shape)


def layer_of(model: IntegerModel, cell: Cell, options: Options) -> IntegerLayer:
    """A layer whose vectors are all in VECTOR."""
    peepholes = {"peepholes": np.zeros((3, HIDDEN), np.int64)} if options.peepholes else {}
    vectors = dict.fromkeys(cell.vectors(options), model.vector)
    return IntegerLayer(cell.name, HIDDEN, HIDDEN, options.cell_activation, peepholes, vectors)


def drawn(data, model: IntegerModel, cell: Cell, options: Options) -> dict[str, np.ndarray]:
    """Rows, parameters and the state of a step, raw."""
    found = formats(model, layer_of(model, cell, options))
    names = [row for one in cell.products(options) for row in one.rows]
    names += [name for one in cell.parameters.values() for name in one.values]
    names += [cell.state.name] if cell.state else []
    return {name: draw(data, found[name], (2, HIDDEN)) for name in dict.fromkeys(names)}


def integer(model: IntegerModel, cell: Cell, options: Options, values: dict) -> dict:
    values, found = dict(values), formats(model, layer_of(model, cell, options))
    for region in cell.regions(options):
        IntegerOperations(model, found).run(region.nodes, values)
    return values


@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@several
@given(data=st.data())
def test_the_lstm_is_the_hand_written_one(model, activation, peepholes, projection, data):
    cell, options = CELLS["lstm"], Options(activation, peepholes, projection)
    v = drawn(data, model, cell, options)
    rows = np.concatenate([v[f"row_{gate}"] for gate in "ifgo"], axis=-1)
    peeps = np.stack([v[f"peep_{gate}"][:1] for gate in "ifo"]) if peepholes else None
    v |= {f"peep_{gate}": v[f"peep_{gate}"][:1] for gate in "ifo"}
    c, m = cells.lstm_step(model, rows, v["c"], peeps, activation)
    found = integer(model, cell, options, v)
    assert (found["c_next"] == c).all()
    assert (found["m" if projection else "h"] == m).all()
    if projection:
        row = model.vector.requantize(v["row_y"], model.row.frac_bits)
        assert (found["h"] == row).all()


@several
@given(data=st.data())
def test_the_gru_before_is_the_hand_written_one(model, data):
    cell, options = CELLS["gru_before"], Options()
    v = drawn(data, model, cell, options)
    z, r = cells.gru_gates(model, np.concatenate([v["row_z"], v["row_r"]], axis=-1))
    rh = cells.gru_reset_step(model, r, v["state"])
    state, h = cells.gru_update_step(model, v["row_n"], z, v["state"])
    found = integer(model, cell, options, v)
    for name, value in (("z", z), ("r", r), ("rh", rh), ("state_next", state), ("h", h)):
        assert (found[name] == value).all(), name


@several
@given(data=st.data())
def test_the_gru_after_is_the_hand_written_one(model, data):
    cell, options = CELLS["gru_after"], Options()
    v = drawn(data, model, cell, options)
    z, r = cells.gru_gates(model, np.concatenate([v["row_z"], v["row_r"]], axis=-1))
    row_n = cells.gru_candidate_row(model, v["row_nx"], v["row_nh"], r)
    state, h = cells.gru_update_step(model, row_n, z, v["state"])
    found = integer(model, cell, options, v)
    for name, value in (("z", z), ("row_n", row_n), ("state_next", state), ("h", h)):
        assert (found[name] == value).all(), name


def test_relu_and_none_stay_in_row(model):
    found = {"row": model.row, "out": model.row}
    values = {"row": np.array([model.row.min_raw, -1, 0, 5])}
    IntegerOperations(model, found).run([Act("out", "relu", "row")], values)
    assert values["out"].tolist() == [0, 0, 0, 5]
    IntegerOperations(model, found).run([Act("out", "none", "row")], values)
    assert (values["out"] == values["row"]).all()


def test_bits_hold_the_largest_results():
    forms = {"w": QFormat(0, 7), "a": QFormat(2, 3), "b": QFormat(0, 7), "out": QFormat(1, 20)}
    corners = {name: np.array([form.min_raw, form.max_raw]) for name, form in forms.items()}
    fine = {"a": 4, "b": 0}  # from each binary point to the finer one
    exact = [
        (int(start) << 7) + int(weight) * (int(end) - int(start))
        for weight in corners["w"]
        for start in corners["a"] << fine["a"]
        for end in corners["b"] << fine["b"]
    ]
    bits = operation_bits(Lerp("out", "state", "a", "b", "w"), forms)
    assert max(abs(value) for value in exact) << (20 - 14) < 1 << bits
    assert operation_bits(Mul("out", "state", "w", "b"), forms) == 8 + 8 + (20 - 14)
    assert operation_bits(Dot2("out", "state", "w", "a", "w", "b"), forms) == 1 + 18 + (20 - 14)
    assert operation_bits(Move("out", "state", "a"), forms) == 6 + 17


def test_reads_are_in_the_order_of_the_fields():
    assert reads(Act("o", "tanh", "r")) == ("r",)
    assert reads(Mul("o", "row", "a", "b")) == ("a", "b")
    assert reads(Mul("o", "row", "a", "b", "c")) == ("a", "b", "c")
    assert reads(Dot2("o", "row", "a", "b", "c", "d")) == ("a", "b", "c", "d")
    assert reads(Lerp("o", "row", "a", "b", "w")) == ("a", "b", "w")
    assert reads(Move("o", "row", "a")) == ("a",)


def test_a_cell_that_is_not_known():
    with pytest.raises(ShapeError) as told:
        cell_named("lsmt")
    remedy = f"choose one of {', '.join(CELLS)}"
    assert told.value.fault == Fault("cell 'lsmt' is not known", remedy=remedy)
