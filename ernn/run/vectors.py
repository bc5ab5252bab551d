"""Frames and expected words as $readmemh files, for a testbench that knows no Python.

Their reader is hw_templates/package/ernn_package_tb.v.j2.
"""

from collections.abc import Iterable

from ernn.hw.plan import HardwarePlan
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.run.traffic import Streams, beats_of, packets_of


def vector_files(plan: HardwarePlan, model: IntegerModel, streams: Streams) -> dict[str, str]:
    """Return stimulus.mem and expected.mem.

    Args:
        plan: of the accelerator.
        model: its integer model, which says what to expect.
        streams: for each stream of the plan the features of its utterances; as many frames each.

    Raises:
        ShapeError, CorpusError: the utterances do not fit.
    """
    bits = plan.word * plan.element_bits
    sent = []
    for packet in packets_of(model, plan, streams):
        for place, beat in enumerate(packet.words):
            first, last = place == 0, place == len(packet.words) - 1
            head = (packet.fresh and first) << 9 | last << 8 | packet.stream
            sent.append(head << bits | beat)
    legend = (
        "// utterance begins, TLAST, TID (8 bits), TDATA: a beat a line, in the order of sending\n"
    )
    answers = "// TDATA: a beat a line, stream by stream and frame by frame\n"
    return {
        "stimulus.mem": legend + _lines(sent, bits + 10),
        "expected.mem": answers + _lines(_expected(plan, model, streams), bits),
    }


def _expected(plan: HardwarePlan, model: IntegerModel, streams: Streams) -> list[int]:
    """Return every output beat, by stream, frame and place in its packet."""
    frames, lengths = stack([utterance for stream in streams for utterance in stream])
    signals = model.run(frames, lengths).signals
    names = dict.fromkeys((f"layer{len(model.layers) - 1}.h", model.leaving))
    beats = []
    for index, length in enumerate(lengths):
        for time in range(length):
            for name in names:
                raw = signals[name][index, time]
                beats += beats_of(plan, raw)
    return beats


def _lines(words: Iterable[int], bits: int) -> str:
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
