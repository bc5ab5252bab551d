"""Two processes train what one would train; run by torch's launcher, this file is one of them."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ernn.errors import RecipeError
from ernn.train import distributed, fit
from ernn.train.loop import compress, train_dense
from tests.trainings import COMPRESSION, CTC, CTC_DATA, DATA, TRAINING, new_model

torch.set_num_threads(1)

SHORT = {"updates": 12, "evaluate_every": 4}
ADMM = COMPRESSION.model_copy(update={"updates": 8, "updates_per_round": 4})
ROOT = Path(__file__).resolve().parents[2]


def trainings(folder, batch=7):
    """Train with frames, ADMM and CTC; 7 sequences do not divide by two."""
    told = []
    run = fit.Run(folder, checkpoint_seconds=0)
    for training, data in ((TRAINING, DATA), (CTC, CTC_DATA)):
        model = new_model(training)
        short = training.model_copy(update={**SHORT, "batch": batch})
        told += train_dense(model, short, data, run)
        told += compress(model, ADMM, short, data, run)
        if distributed.rank() == 0:
            model.save(folder / f"{training.loss}.safetensors")
    return told


def forbidden(*_):
    raise AssertionError("only the first process writes")


def main() -> None:
    """Be one of several processes."""
    with distributed.joined(), distributed.together():
        if distributed.rank():
            fit.save_tensors = fit.write_text = forbidden
        assert distributed.world() == 2
        told = trainings(Path(sys.argv[1]))
        assert distributed.from_first(lambda: told) == told
        with pytest.raises(RecipeError, match=r"batch = 1 does not go round 2 processes"):
            trainings(Path(sys.argv[1]) / "one", batch=1)


def test_two_processes_train_what_one_would_train(tmp_path):
    trainings(tmp_path / "one")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, "--nproc-per-node", "2", "-m", "tests.unit.test_train_distributed"]
    done = subprocess.run(
        [*command, str(tmp_path / "two")], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for name in ("frames", "ctc"):
        alone, shared = new_model(), new_model()
        if name == "ctc":
            alone, shared = new_model(CTC), new_model(CTC)
        alone.load(tmp_path / "one" / f"{name}.safetensors")
        shared.load(tmp_path / "two" / f"{name}.safetensors")
        for key, value in alone.state_dict().items():
            torch.testing.assert_close(shared.state_dict()[key], value, rtol=1e-3, atol=1e-4)


def test_alone_nothing_is_exchanged():
    assert (distributed.world(), distributed.rank()) == (1, 0)
    values = torch.arange(3.0)
    distributed.add_up([values])
    assert values.tolist() == [0, 1, 2]
    assert distributed.from_first(lambda: "told") == "told"


if __name__ == "__main__":
    main()
