"""Recipes: everything a user can set, in one TOML file, validated once and all at once."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ernn.device import load_part
from ernn.errors import RecipeError

BLOCK_SIZES = (1, 2, 4, 8, 16, 32)
MAX_STREAMS = 16
MATRICES = ("input", "recurrent", "candidate", "projection")  # that a layer can have
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

BlockSize = Literal[1, 2, 4, 8, 16, 32]
Count = Annotated[int, Field(gt=0, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LearningRate = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Minutes = Annotated[float, Field(gt=0, le=10_000)]
Decibels = Annotated[float, Field(ge=-60, le=120)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Section(BaseModel):
    """A table of the recipe: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def from_dict(cls, data: dict[str, Any], source: str = "recipe") -> Self:
        """Check a section, or a whole recipe, that was already parsed.

        Raises:
            RecipeError: a line for every key that is unknown, missing or not allowed.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            problems = [_sentence(problem) for problem in error.errors()]
            raise RecipeError("\n".join(f"{source}: {problem}" for problem in problems)) from None


class CorpusRecipe(Section):
    """Where the speech comes from."""

    kind: Literal["synthetic", "timit", "kaldi", "manifest"] = "synthetic"
    # The folder that holds TRAIN and TEST (timit) or three data folders (kaldi); or the manifest.
    path: str | None = None
    phones: str | None = None  # kaldi, manifest: a table of lines: phone number (phones.txt)
    fold: str | None = None  # kaldi, manifest: "timit", or a table of lines: phone label
    train_folder: str = "train"  # kaldi only: data folders, below path
    dev_folder: str = "dev"
    test_folder: str = "test"
    seed: Seed | None = None  # synthetic only, as all below; None: the recipe's seed
    flite: bool = False  # flite's voices as well, where installed
    train_minutes: Minutes = 12.0
    dev_minutes: Minutes = 2.0
    test_minutes: Minutes = 4.0
    snr_db_min: Decibels = 15.0
    snr_db_max: Decibels = 35.0
    reverb_fraction: Fraction = 0.2

    @model_validator(mode="after")
    def _consistent(self) -> "CorpusRecipe":
        needs = {
            "timit": "the folder that holds TRAIN and TEST",
            "kaldi": "the folder that holds the data folders train, dev and test",
            "manifest": "a file with a line of JSON for each recording",
        }
        if self.kind in needs and not self.path:
            raise ValueError(f'kind = "{self.kind}" needs path, {needs[self.kind]}')
        if self.snr_db_min > self.snr_db_max:
            raise ValueError(
                f"snr_db_min = {self.snr_db_min} is above snr_db_max = {self.snr_db_max}"
            )
        return self


class FeatureRecipe(Section):
    """Mel bands and energy, their delta and delta-delta: 3 * (mel_bands + 1) values."""

    mel_bands: Annotated[int, Field(ge=8, le=80)] = 50
    window_ms: Positive = 25.0
    step_ms: Positive = 10.0
    keep_every: Annotated[int, Field(ge=1, le=4)] = 1  # 2: every second frame, 20 ms apart

    @property
    def size(self) -> int:
        """Values per frame."""
        return 3 * (self.mel_bands + 1)


class LayerRecipe(Section):
    """One recurrent layer; a block size of 1 means an ordinary dense matrix."""

    hidden: Count
    projection: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # LSTM only; 0: none
    block: BlockSize = 8  # of every matrix of the layer that names none of its own
    block_input: BlockSize | None = None
    block_recurrent: BlockSize | None = None
    block_candidate: BlockSize | None = None  # GRU with reset = "before" only
    block_projection: BlockSize | None = None  # LSTM with projection only

    def block_of(self, matrix: str) -> int:
        """Return the block size of ``"input" | "recurrent" | "candidate" | "projection"``."""
        own = getattr(self, f"block_{matrix}")
        return self.block if own is None else own


class ModelRecipe(Section):
    """The acoustic model: equations in docs/algorithm.md."""

    cell: Literal["lstm", "gru"]
    peepholes: bool = True  # LSTM
    cell_activation: Literal["tanh", "sigmoid"] = "tanh"  # LSTM: activation of g
    reset: Literal["before", "after"] = "before"  # GRU: r times h before (paper) or after (torch)
    input_scale: bool = True  # a learned scale per input of each block-circulant matrix
    output_block: BlockSize = 1
    pad: BlockSize = 1  # least padding: models that share it share a dense model (docs/search.md)
    layers: Annotated[list[LayerRecipe], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _consistent(self) -> "ModelRecipe":
        problems = []
        for index, layer in enumerate(self.layers):
            where = f"layers[{index}]"
            if self.cell == "gru" and layer.projection:
                problems.append(
                    f"{where}.projection = {layer.projection}: only an LSTM has one; remove it"
                )
            has = self.matrices_of(layer)
            for matrix in MATRICES:
                block, size = layer.block_of(matrix), layer.hidden
                if matrix == "projection":
                    size = layer.projection
                if matrix not in has and getattr(layer, f"block_{matrix}") is not None:
                    problems.append(
                        f"{where}.block_{matrix} = {block}: the layer has no such matrix; remove it"
                    )
                if matrix in has and block > size:
                    problems.append(
                        f"{where}: block size {block} of the {matrix} matrix is larger than the "
                        f"matrix ({size} rows); choose at most {_largest_block(size)}"
                    )
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    @property
    def word(self) -> int:
        """Every vector is padded to a multiple of it: the largest block size, or `pad`."""
        blocks = [layer.block_of(name) for layer in self.layers for name in self.matrices_of(layer)]
        return max(self.pad, self.output_block, *blocks)

    def dense(self) -> "ModelRecipe":
        """Return what the dense phase depends on: of the block sizes only the padding."""
        own = dict.fromkeys(f"block_{name}" for name in MATRICES)
        layers = [layer.model_copy(update={"block": 1, **own}) for layer in self.layers]
        alike = {"layers": layers, "pad": self.word, "output_block": 1, "input_scale": False}
        return self.model_copy(update=alike)

    def matrices_of(self, layer: LayerRecipe) -> list[str]:
        """Return the names of the matrices that a layer has, as `block_of` takes them."""
        names = ["input", "recurrent"]
        if self.cell == "gru" and self.reset == "before":
            names.append("candidate")
        if self.cell == "lstm" and layer.projection:
            names.append("projection")
        return names


class TrainingRecipe(Section):
    """Dense training: Adam with linear decay on chunks of utterances, or on whole ones (CTC)."""

    loss: Literal["frames", "ctc"] = "frames"  # "ctc": phone sequences without times
    updates: Count = 1500
    batch: Count = 32  # chunks or utterances, of all GPUs together
    chunk_frames: Count = 64  # loss = "frames" only
    learning_rate: LearningRate = 1e-2
    label_delay: Annotated[int, Field(ge=0, le=50)] = 2  # frames; loss = "frames" only
    input_noise: NotNegative = 0.1
    clip_norm: Positive = 1.0
    evaluate_every: Count = 250  # updates
    patience: Count = 8  # evaluations without a better development loss before stopping
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"  # of products

    @property
    def blanks(self) -> int:
        """Outputs of the model beside the phones: CTC's blank, which comes last."""
        return int(self.loss == "ctc")


class CompressionRecipe(Section):
    """How a model becomes block-circulant.

    admm: the dense model is pulled to its structures, projected, and retrained inside them.
    project: it is projected at once; ADMM's updates go to retraining.
    direct: a new model is trained inside the structures, for as many updates as all phases take.
    """

    method: Literal["admm", "project", "direct"] = "admm"
    updates: Count = 1500
    updates_per_round: Count = 20
    rho_start: Positive = 3e-4
    rho_end: Positive = 3e-2
    gap: NotNegative = 0.02  # ||W - Z|| / ||W|| that ends ADMM early; retraining gets the rest
    learning_rate: LearningRate = 1e-2
    retrain_updates: Count = 1500
    retrain_learning_rate: LearningRate = 1e-2
    distillation: Fraction = 0.0  # share of retraining's loss: difference from the dense outputs
    distillation_temperature: Positive = 2.0


class QuantizationRecipe(Section):
    """Bits of the integer model, signs included."""

    weight_bits: Annotated[int, Field(ge=4, le=16)] = 12
    activation_bits: Annotated[int, Field(ge=4, le=16)] = 12
    state_bits: Annotated[int, Field(ge=6, le=18)] = 16
    activation_error: Annotated[float, Field(ge=2e-4, le=0.1)] = 2e-3  # of sigmoid and tanh
    calibration_utterances: Count = 16
    search: bool = False  # choose the four above: the smallest within per_bound_points
    search_bits_min: Annotated[int, Field(ge=6, le=16)] = 6
    search_bits_max: Annotated[int, Field(ge=6, le=16)] = 16
    fine_tune_updates: Annotated[int, Field(ge=0, le=1_000_000)] = 0  # in the integers' arithmetic
    fine_tune_learning_rate: LearningRate = 1e-3

    @model_validator(mode="after")
    def _consistent(self) -> "QuantizationRecipe":
        if self.search_bits_min > self.search_bits_max:
            raise ValueError(
                f"search_bits_min = {self.search_bits_min} is above "
                f"search_bits_max = {self.search_bits_max}"
            )
        return self


class HardwareRecipe(Section):
    """The target and what to optimise; None lets the planner choose."""

    part: str = "XC7VX690T"
    clock_mhz: Annotated[float, Field(ge=1, le=1000)] = 200.0
    streams: Annotated[int, Field(ge=1, le=MAX_STREAMS)] = 2
    objective: Literal["throughput", "latency", "energy", "smallest"] = "throughput"
    realtime_fps: Annotated[float, Field(gt=0, le=1e9)] | None = None  # objective = "smallest"
    headroom: Annotated[float, Field(ge=0, le=0.9)] = 0.2  # share of LUTs and flip-flops left free
    word: Literal[1, 2, 4, 8, 16, 32] | None = None  # values that move together
    pe_rows: Count | None = None  # output blocks computed side by side
    pe_columns: Count | None = None  # column split: input blocks per row and cycle
    drain_lanes: Annotated[int, Field(ge=1, le=8)] | None = None  # inverse FFT units
    cell_lanes: Count | None = None  # cell elements per cycle

    @field_validator("part")
    @classmethod
    def _known_part(cls, part: str) -> str:
        load_part(part)
        return part

    @model_validator(mode="after")
    def _smallest_is_fast_enough(self) -> "HardwareRecipe":
        if (self.objective == "smallest") != (self.realtime_fps is not None):
            raise ValueError(
                'objective = "smallest" and realtime_fps, the frames/s that it has to reach, go '
                "together; give both or neither"
            )
        return self


class SimulationRecipe(Section):
    """How the generated Verilog is simulated."""

    simulator: Literal["verilator", "icarus"] = "verilator"
    frames_per_stream: Annotated[int, Field(ge=2, le=100_000)] = 50


class Recipe(Section):
    """One accelerator, from speech to report."""

    name: str
    seed: Seed = 0
    per_bound_points: NotNegative | None = None  # allowed loss of PER, integer against dense
    corpus: CorpusRecipe = CorpusRecipe()
    features: FeatureRecipe = FeatureRecipe()
    model: ModelRecipe
    training: TrainingRecipe = TrainingRecipe()
    compression: CompressionRecipe = CompressionRecipe()
    quantization: QuantizationRecipe = QuantizationRecipe()
    hardware: HardwareRecipe = HardwareRecipe()
    simulation: SimulationRecipe = SimulationRecipe()

    @property
    def corpus_seed(self) -> int:
        """The seed that the corpus is made from."""
        return self.seed if self.corpus.seed is None else self.corpus.seed

    @property
    def search_bound_points(self) -> float | None:
        """The bound that bits are searched against, if they are."""
        return self.per_bound_points if self.quantization.search else None

    @model_validator(mode="after")
    def _search_has_a_bound(self) -> "Recipe":
        if self.quantization.search and self.per_bound_points is None:
            raise ValueError(
                "quantization.search = true needs per_bound_points, the allowed loss of PER"
            )
        return self

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(
                "use 1 to 64 letters, digits, '-' or '_', starting with a letter or digit"
            )
        return name

    @classmethod
    def load(cls, path: Path) -> "Recipe":
        """Read and check a TOML recipe.

        Raises:
            RecipeError: the file cannot be read, or anything in it is wrong; every problem is
                named in one message.
        """
        try:
            data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"{path} cannot be read as a TOML recipe: {error}") from None
        return cls.from_dict(data, str(path))

    def with_hardware(self, changes: dict[str, Any]) -> "Recipe":
        """Return the recipe with other keys in its hardware section, checked anew.

        Raises:
            RecipeError: a key that is not known, or a value that is not allowed.
        """
        data = self.model_dump(mode="json")
        return self.from_dict({**data, "hardware": {**data["hardware"], **changes}}, self.name)


def _largest_block(size: int) -> int:
    return max(block for block in BLOCK_SIZES if block <= size)


def _sentence(problem) -> str:
    """Turn one pydantic problem into ``where = value: what is allowed``."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    where = where.lstrip(".") or "recipe"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{where} is not a known key; remove it or correct its spelling"
    if problem["type"] == "missing":
        return f"{where} is missing; add it"
    value = problem["input"]
    shown = "" if isinstance(value, dict | list | BaseModel) else f" = {value!r}"
    return f"{where}{shown}: {message[0].lower()}{message[1:]}"
