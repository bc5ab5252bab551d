"""A report of realistic size, every optional part in it."""

from ernn.energy.estimate import Interval, estimate_power
from ernn.parts.part import load_part
from ernn.report import content as c
from ernn.report import hardware_content as hw
from ernn.report import model_content as m
from ernn.report.judged import Judged
from ernn.report.marks import Measured, Origin
from ernn.run.schedule import Schedule, Share, UnitSchedule

SPEECH = Judged(
    "PER",
    "phone error rate",
    "%",
    "points",
    True,
    "synthetic speech",
    "utterances",
    "speakers",
    "phones",
    "SYNTHETIC speech: no phone error rate here is a TIMIT figure",
)


def example() -> c.Report:
    """Return a report of realistic size: GRU, 2 layers of 128, on real-looking numbers."""
    run = "ernn run quickstart.toml --out runs/quickstart"
    part = load_part("XC7VX690T")
    used = {"dsp": 704, "bram36": 146, "lut": 61_240, "ff": 48_310}
    power = estimate_power(part, 200.0, used)
    dense = [
        m.TrainingPoint("dense", 250 * n, 3.4 * 0.72**n + 0.6, None, 60 * 0.7**n + 22)
        for n in range(1, 7)
    ]
    admm = [
        m.TrainingPoint("ADMM", 1500 + 20 * n, 0.9 + 0.3 * 0.95**n, 41 * 0.94**n, None)
        for n in range(1, 76)
    ]
    retrain = [
        m.TrainingPoint("retraining", 3000 + 250 * n, 0.8 - 0.02 * n, 0.0, 28.1 - 0.4 * n)
        for n in range(1, 7)
    ]
    names = [("layer0.input", 384, 160), ("layer0.recurrent", 256, 128)]
    names += [("layer0.candidate", 128, 128), ("output", 48, 128)]
    return c.Report(
        recipe="quickstart",
        seed=7,
        model="GRU, 2 layers of 128 cells, block size 8",
        version="0.1.0",
        machine="Linux x86_64, 2 cores, Python 3.11",
        simulator="Verilator 5.048",
        accuracy=m.Accuracy(
            judged=SPEECH,
            groups=24,
            sequences=118,
            over=4302,
            dense=m.ModelScore("dense", 22.53, 20.4, 25.6, "ernn train"),
            compressed=m.ModelScore("compressed", 26.55, 24.1, 29.2, "ernn compress"),
            integer=m.ModelScore("integer", 26.61, 24.2, 29.3, "ernn quantize"),
            changes=(
                m.Change("compressed", "dense", 4.02, 3.1, 4.9),
                m.Change("integer", "compressed", 0.06, -0.05, 0.17),
            ),
            origin=Origin("measured", f"{run} --step quantize"),
        ),
        compression=m.Compression(
            208_896,
            27_136,
            tuple(m.MatrixSize(n, r, q, 8, r * q // 8) for n, r, q in names),
            Origin("measured", "ernn compress"),
        ),
        training=m.Training(
            (*dense, *admm, *retrain), Origin("measured", "ernn train; ernn compress")
        ),
        numbers=m.Numbers(
            12,
            12,
            (
                m.SignalFormat("features", "Q3.8", 0.00113, 0.00195, 3, 1200),
                m.SignalFormat("layer0.state", "Q0.15", 0.0021, 0.0172),
            ),
            Origin("measured", "ernn quantize"),
        ),
        plan=hw.Plan(
            part=part.name,
            clock_mhz=200.0,
            pes=64,
            column_split=2,
            drain_lanes=2,
            cell_lanes=16,
            streams=2,
            resources=tuple(
                hw.Resource(name.upper(), count, getattr(part, name))
                for name, count in used.items()
            ),
            origin=Origin("estimated", "ernn plan"),
        ),
        timing=hw.Timing(93, 93, 241, 241, 100, 12_800, 0, Origin("simulated", "ernn simulate")),
        energy=hw.Energy(
            power.chip_w,
            power.card_w,
            Origin("estimated", "ernn report"),
            "simulated, 96 frames",
            power.components,
            (hw.GroupEnergy("pes", 1.5, 0.21), hw.GroupEnergy("rows", 0.4, None)),
        ),
        blocks=searched(),
        front=front(),
        working=hw.Working(SCHEDULE, Origin("simulated", "ernn simulate")),
        builds=builds(part.name),
        left_out=("build-old/build.json is of plan 0123, this run has 4567",),
    )


SCHEDULE = Schedule(
    first=1000,
    last=1743,
    shown=1371,
    rounds=4,
    units=(
        UnitSchedule(
            "array",
            "layer0.zr",
            "seen in the trace",
            500,
            (
                Share("layer0.zr", 0, 8, "990-1090", 1090),
                Share("layer0.zr", 1, 8, "1091-1150 1153-1190", 1190),
            ),
        ),
        UnitSchedule(
            "unit_lstm",
            "",
            "by the plan",
            200,
            (Share("layer0", 0, 8, "1040-1041 1045-1046", 1061),),
        ),
    ),
)


def searched() -> m.BlockSearch:
    """Return a search of block sizes."""
    models = [("lstm", 1, 22.9), ("lstm", 8, 24.1), ("gru", 8, 24.4), ("gru", 16, 26.2)]
    trials = (
        m.BlockTrial(
            "lstm" if cell == "lstm" else "gru",
            block,
            block,
            f"{cell.upper()} with blocks of {block}",
            Measured(per, per - 2, per + 2),
            Measured(per - 22.9, per - 23.3, per - 22.5) if block > 1 else None,
            208_896 // block,
        )
        for cell, block, per in models
    )
    origin = Origin("measured", "ernn search")
    return m.BlockSearch(
        "a loss of 2 points", 24.9, tuple(trials), "gru", 8, Measured(24.6, 22, 27), origin
    )


def front() -> hw.Front:
    """Return a front of three designs."""
    energy = Interval(5.5, 11.0, 22.0)
    designs = tuple(
        hw.FrontDesign(
            f"{n} x 2 PEs", 2.15e6 / n, 1.2 * n, 704 // n, 146, 61_240, 48_310, energy, n == 1
        )
        for n in (1, 2, 3)
    )
    origin = Origin("planned", "ernn plan")
    return hw.Front(designs, 80.5, "the array is busy", "65 x 2 PEs: 4,000 DSP", origin)


def builds(part: str) -> tuple[hw.Build, ...]:
    """Return a synthesis for the part, and a routed design for another."""
    own = (hw.Resource("DSP", 704, 3600), hw.Resource("LUT", 58_210, 433_200))
    other = (hw.Resource("DSP", 150, 156), hw.Resource("EBR", 90, 208))
    return (
        hw.Build(
            part,
            "yosys 0.70",
            "",
            own,
            Origin("synthesized", "ernn synth"),
            200,
            analysed_mhz=Interval(210, 233, 257),
        ),
        hw.Build(
            "LFE5U-85F-6BG381C",
            "nextpnr 0.11",
            "",
            other,
            Origin("routed", "ernn build"),
            100,
            112.5,
            0.45,
        ),
    )
