"""ernn simulate --waves: a waveform of the first frames, and views that open it by unit."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ernn.files import write_text
from ernn.flow.run_folder import RunFolder
from ernn.folders import filling, locked
from ernn.hw import cycles
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import Recipe
from ernn.run.dump import Dump
from ernn.run.simulate import simulate
from ernn.run.traffic import deal_out
from ernn.run.waves import by_unit, gtkwave_view, read_signals, surfer_view
from ernn.tasks.kinds import read_frames

VIEW = "waves.gtkw"
MORE_ROUNDS = 2  # simulated behind those that are shown


def write_waves(recipe: Recipe, run: RunFolder, frames: int, say: Callable[[str], None]) -> Path:
    """Simulate a run's accelerator and leave ``out/waves`` with its waveform and views.

    The simulation is checked like any other: every word, every cycle.

    Args:
        recipe: of the run.
        run: its folder, generated and up to date.
        frames: of every stream to show, from the end of the reset on.
        say: for the user.

    Raises:
        MismatchError: a word or cycle is not as planned.
        ToolError: the simulator is missing or fails.
    """
    plan = HardwarePlan.load(run.plan)
    model = IntegerModel.load(run.integer_model)
    test = read_frames(run.corpus, "test")
    rate = cycles.rate(plan)
    shown = round(rate.latency_cycles + frames * plan.streams * rate.cycles_per_frame)
    dump = Dump("vcd", 0, shown)
    cache, folder = run.cache("waves"), run.waves
    with locked(run.root), filling(folder, VIEW, "waveform") as part:
        simulate(
            run.project,
            plan,
            model,
            deal_out(test, plan.streams, frames + MORE_ROUNDS),
            work_folder=cache,
            simulator=recipe.simulation.simulator,
            dump=dump,
        )
        units = by_unit(read_signals(cache / dump.file))
        waveform = _keep(cache / dump.file, part)
        write_text(part / VIEW, gtkwave_view(waveform, units))
        write_text(part / "waves.sucl", surfer_view(units))
    size = (folder / waveform).stat().st_size / 1e6
    say(f"waves: {shown:,} cycles, {len(units)} units, {size:.1f} MB in {folder / waveform}")
    say(f"open it with: cd {folder} && gtkwave -a {VIEW} {waveform}")
    say(f"or with:      cd {folder} && surfer -c waves.sucl {waveform}")
    return folder


def _keep(vcd: Path, folder: Path) -> str:
    """Move a VCD to a folder, as FST (a tenth of it) where GTKWave's converter is at hand."""
    converter = shutil.which("vcd2fst")
    if converter:
        command = [converter, str(vcd), str(folder / "waves.fst")]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0 and (folder / "waves.fst").is_file():
            vcd.unlink()
            return "waves.fst"
    shutil.move(vcd, folder / "waves.vcd")
    return "waves.vcd"
