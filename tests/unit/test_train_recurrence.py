"""Layers against plain loops that autograd differentiates: outputs and every gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ernn.recipe import LayerRecipe, ModelRecipe
from ernn.train import products, recurrence
from ernn.train.cells import Layer, build
from ernn.train.products import Product, bind, from_bins, to_bins

torch.set_num_threads(1)


def plain_lstm(layer: Layer, gx: Tensor) -> Tensor:
    recurrent, peep = layer.matrices["recurrent"].matrix().t(), layer.peepholes
    peep = gx.new_zeros(3, layer.hidden) if peep is None else peep
    squash = torch.tanh if layer.options.cell_activation == "tanh" else torch.sigmoid
    y, c = gx.new_zeros(gx.shape[1], layer.output), gx.new_zeros(gx.shape[1], layer.hidden)
    outputs = []
    for frame in gx:
        i, f, g, o = (frame + y @ recurrent).chunk(4, -1)
        i, f = torch.sigmoid(i + peep[0] * c), torch.sigmoid(f + peep[1] * c)
        c = f * c + i * squash(g)
        y = torch.sigmoid(o + peep[2] * c) * torch.tanh(c)
        if "projection" in layer.matrices:
            y = y @ layer.matrices["projection"].matrix().t()
        outputs.append(y)
    return torch.stack(outputs)


def plain_gru_before(layer: Layer, gx: Tensor) -> Tensor:
    recurrent = layer.matrices["recurrent"].matrix().t()
    candidate = layer.matrices["candidate"].matrix().t()
    h, outputs = gx.new_zeros(gx.shape[1], layer.hidden), []
    for frame in gx:
        gate_x, candidate_x = frame.split(2 * layer.hidden, -1)
        z, r = torch.sigmoid(gate_x + h @ recurrent).chunk(2, -1)
        h = (1 - z) * h + z * torch.tanh(candidate_x + (r * h) @ candidate)
        outputs.append(h)
    return torch.stack(outputs)


def plain_gru_after(layer: Layer, gx: Tensor) -> Tensor:
    recurrent = layer.matrices["recurrent"].matrix().t()
    h, outputs = gx.new_zeros(gx.shape[1], layer.hidden), []
    for frame in gx:
        xz, xr, xn = frame.chunk(3, -1)
        hz, hr, hn = (h @ recurrent).chunk(3, -1)
        z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
        h = (1 - z) * torch.tanh(xn + r * (hn + layer.candidate_bias)) + z * h
        outputs.append(h)
    return torch.stack(outputs)


PLAIN = {"lstm": plain_lstm, "gru_before": plain_gru_before, "gru_after": plain_gru_after}


def plain(layer: Layer, x: Tensor) -> Tensor:
    """Compute a layer step by step with expanded matrices: (T, B, X) -> (T, B, Y)."""
    return PLAIN[layer.cell.name](layer, x @ layer.matrices["input"].matrix().t() + layer.bias)


def random_layer(cell, layer_recipe, seed=0, inputs=16, **settings) -> Layer:
    recipe = ModelRecipe(cell=cell, layers=[layer_recipe], **settings)
    layer = build(recipe, layer_recipe, inputs)
    layer.reset(torch.Generator().manual_seed(0))
    for matrix in layer.matrices.values():
        matrix.constrain()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return layer.double()


def outputs_and_gradients(function, layer: Layer, x: Tensor, weights: Tensor) -> list[Tensor]:
    outputs = function(x)
    wanted = [x, *layer.parameters()]
    return [outputs, *torch.autograd.grad((outputs * weights).sum(), wanted)]


blocks = st.sampled_from([1, 2, 4, 8])


@settings(max_examples=60, deadline=None)
@given(
    cell=st.sampled_from(["lstm", "gru"]),
    reset=st.sampled_from(["before", "after"]),
    projection=st.sampled_from([0, 8]),
    peepholes=st.booleans(),
    cell_activation=st.sampled_from(["tanh", "sigmoid"]),
    input_scale=st.booleans(),
    block=st.tuples(blocks, blocks, blocks),
    transformed=st.lists(st.booleans(), min_size=4, max_size=4),
    steps=st.integers(1, 5),
    batch=st.integers(1, 3),
)
def test_a_layer_is_its_plain_loop_with_all_gradients(
    cell, reset, projection, block, transformed, steps, batch, **settings
):
    is_lstm = cell == "lstm"
    inner = "block_projection" if is_lstm and projection else "block_candidate"
    sizes = {"block_input": block[0], "block_recurrent": block[1]}
    if (is_lstm and projection) or (not is_lstm and reset == "before"):
        sizes[inner] = block[2]
    recipe = LayerRecipe(hidden=16, projection=projection if is_lstm else 0, **sizes)
    layer = random_layer(cell, recipe, reset=reset, **settings)
    for matrix, fft in zip(layer.matrices.values(), transformed, strict=False):
        matrix.fft = fft
    x = torch.randn(steps, batch, 16, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(steps, batch, layer.output, dtype=torch.float64)
    found = outputs_and_gradients(layer, layer, x, weights)
    expected = outputs_and_gradients(lambda x: plain(layer, x), layer, x, weights)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("projection", [0, 8])
@pytest.mark.parametrize("cell, reset", [("lstm", "before"), ("gru", "before"), ("gru", "after")])
def test_a_fast_layer_is_the_interpreter_of_its_graph(cell, reset, projection, block):
    recipe = LayerRecipe(hidden=16, projection=projection if cell == "lstm" else 0, block=block)
    fast = random_layer(cell, recipe, reset=reset)
    assert type(fast) is not Layer
    graph = Layer(ModelRecipe(cell=cell, layers=[recipe], reset=reset), recipe, 16).double()
    graph.reset(torch.Generator())
    for matrix in graph.matrices.values():
        matrix.constrain()
    graph.load_state_dict(fast.state_dict())
    if reset == "after":  # the graph has the paper's z, which is 1 - torch's
        with torch.no_grad():
            for matrix in graph.matrices.values():
                held = matrix.weight if matrix.generators is None else matrix.generators
                held[: 16 // (1 if matrix.generators is None else block)] *= -1
            graph.bias[:16] *= -1
    x = torch.randn(5, 3, 16, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(5, 3, fast.output, dtype=torch.float64)
    found = outputs_and_gradients(graph, graph, x, weights)
    expected = outputs_and_gradients(fast, fast, x, weights)
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-10)
    if reset == "before":
        for ours, theirs in zip(found[2:], expected[2:], strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-10)


def bound(p, q, block) -> tuple[Tensor, Tensor | None]:
    """Return the weights and scale of a random product, as leaves."""
    if block == 1:
        return torch.randn(p, q, dtype=torch.float64, requires_grad=True), None
    m, p, q = 3 * block // 2 - 1, p // block, q // block
    weights = torch.randn(m, p, q, dtype=torch.float64, requires_grad=True)
    return weights, torch.randn(block, 1, q, dtype=torch.float64, requires_grad=True)


def sequence(block, *sizes) -> Tensor:
    sizes = sizes if block == 1 else (block, *sizes[:-1], sizes[-1] // block)
    return torch.randn(*sizes, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru_before", "gru_after"])
def test_gradients_are_the_limits_of_differences(cell, block):
    h, out, steps, batch = 2, 4, 2, 1
    if cell == "lstm":
        gx, peepholes = sequence(block, steps, batch, 4 * h), sequence(block, 3, h)
        tensors = [gx, peepholes, *bound(4 * h, out, block), *bound(out, h, block)]

        def function(gx, peepholes, w, s, wp, sp):
            recurrent, projection = Product(w, s, block), Product(wp, sp, block)
            return recurrence.lstm(gx, peepholes, "tanh", recurrent, projection)
    elif cell == "gru_before":
        tensors = [sequence(block, steps, batch, 3 * h)]
        tensors += [*bound(2 * h, h, block), *bound(h, h, block)]

        def function(gx, w, s, wc, sc):
            return recurrence.gru_before(gx, Product(w, s, block), Product(wc, sc, block))
    else:
        gx, bias = sequence(block, steps, batch, 3 * h), sequence(block, 1, h)
        tensors = [gx, bias, *bound(3 * h, h, block)]

        def function(gx, bias, w, s):
            return recurrence.gru_after(gx, bias, Product(w, s, block))

    assert torch.autograd.gradcheck(function, tensors)


@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([2, 4, 8, 16, 32]))
def test_a_transformed_product_is_the_dense_one(p, q, block):
    layer = LayerRecipe(hidden=p * block, block=block)
    matrix = random_layer("gru", layer, inputs=q * block).matrices["input"]
    matrix.fft = True
    x = torch.randn(3, q * block, dtype=torch.float64)
    product = bind(matrix, transformed=False)  # `fft` overrules the choice
    found = from_bins(product(to_bins(x, block)), block)
    assert product.block == block
    assert torch.allclose(found, x @ matrix.matrix().t(), rtol=0, atol=1e-11)


def test_only_large_matrices_on_a_cpu_are_transformed():
    assert products.transforming_pays(4096 * 512, torch.device("cpu"))
    assert not products.transforming_pays(384 * 128, torch.device("cpu"))
    assert not products.transforming_pays(4096 * 512, torch.device("cuda"))


def test_two_runs_give_the_same_bits():
    for cell, block in (("gru", 1), ("gru", 4), ("lstm", 4)):
        layer = random_layer(cell, LayerRecipe(hidden=16, block=block)).float()
        for matrix in layer.matrices.values():
            matrix.fft = True
        x = torch.randn(5, 3, 16, requires_grad=True)
        first, second = (outputs_and_gradients(layer, layer, x, torch.ones(1)) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_loop_stays_in_float32_under_autocast():
    layer = random_layer("gru", LayerRecipe(hidden=16, block=4)).float()
    layer.matrices["recurrent"].fft = True
    x = torch.randn(5, 3, 16)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)
    assert found.dtype == torch.float32
    assert torch.allclose(found, layer(x), atol=0.05)
    found.sum().backward()
