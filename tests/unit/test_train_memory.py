"""Out of memory: planted, since it needs no GPU to be told what would fit."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import RecipeError
from ernn.train import memory
from ernn.train.fit import Run
from ernn.train.loop import train_dense
from ernn.train.memory import fitting
from tests.trainings import DATA, TRAINING, new_model


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(2, 4096), st.integers(0, 10**10))
def test_what_it_advises_fits_and_not_much_more_would(fixed, each, count, limit):
    fits = fitting(lambda n: fixed + each * n, count, limit)
    assert 0 <= fits < count
    assert fits == 0 or fixed + each * fits <= limit
    if fixed + each <= 0.8 * limit and fits < count - 1:
        assert fixed + each * (fits + 2) > 0.8 * limit


def test_nothing_fits_where_even_small_updates_do_not():
    def peak(count):
        raise torch.cuda.OutOfMemoryError

    assert fitting(peak, 64, 10**9) == 0


@pytest.fixture
def gpu(monkeypatch):
    """A GPU of 1000 bytes, 9 for each sequence of an update and 100 besides."""
    held = {"peak": 0}
    for name in ("empty_cache", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: held["peak"])
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 300)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (700, 2**30))

    def hold(model, arguments):
        held["peak"] = 100 + 9 * len(arguments[0])
        if held["peak"] > 1000:
            raise torch.cuda.OutOfMemoryError("planted")

    return hold


def test_the_message_names_a_batch_that_fits(tmp_path, gpu, monkeypatch):
    model = new_model()
    model.register_forward_pre_hook(gpu)
    weights = sum(4 * p.numel() for p in model.parameters())
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (700 + 2 * weights, 2**30))
    training = TRAINING.model_copy(update={"batch": 128})
    with pytest.raises(RecipeError) as told:
        train_dense(model, training, DATA, Run(tmp_path))
    # 0.9 of the 1000 bytes that Adam's moments leave: 100 and 88 times 9.
    assert str(told.value) == (
        "training.batch = 128 needs more than the GPU's 1.0 GiB; use batch = 88, which should fit"
    )
    advised = training.model_copy(update={"batch": 88, "updates": 1})
    train_dense(model, advised, DATA, Run(tmp_path))


def test_a_model_that_never_fits_is_told(tmp_path, gpu, monkeypatch):
    model = new_model()
    monkeypatch.setattr(memory, "peak_bytes", lambda work: work() and 0)

    def planted(*_):
        raise torch.cuda.OutOfMemoryError("planted")

    model.register_forward_pre_hook(planted)
    with pytest.raises(RecipeError, match="so does any other; use a smaller model"):
        train_dense(model, TRAINING, DATA, Run(tmp_path))
