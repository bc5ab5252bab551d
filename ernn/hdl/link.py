"""What `ernn_link` is built from: parameters, and the contents of its memories."""

from ernn.compressed import padded
from ernn.link.tables import LinkTables

CODES, WEIGHTS = "link_codes.mem", "link_weights.mem"
LINK = ("ernn_link", "ernn_link_receive", "ernn_link_restore")  # modules that only it needs


def link_parameters(tables: LinkTables, word: int, element_bits: int) -> dict[str, int]:
    """Return the parameters of `ernn_link` that are numbers; file names are `link_files`'.

    Args:
        tables: of host and board.
        word: values of a beat of the accelerator's input.
        element_bits: of each of them on the bus.
    """
    return {
        "INDICES": tables.indices,
        "INDEX_W": tables.index_bits,
        "STREAM_BITS": tables.stream_bits,
        "COUNT_BITS": tables.count_bits,
        "TABLE_ID": tables.id,
        "WEIGHT_W": tables.weight.width,
        "WEIGHT_FRAC": tables.weight.frac_bits,
        "VALUE_W": tables.vector.width,
        "VALUE_FRAC": tables.vector.frac_bits,
        "ELEMENT_W": element_bits,
        "WORD": word,
        "BEATS": padded(tables.features, word) // word,
        "FILLED": 1,
    }


def link_files(tables: LinkTables, word: int) -> dict[str, str]:
    """Return the memory files of `ernn_link`, {name: text}.

    The weights stand in the order in which they are multiplied: for each value of each frame of a
    group, its offset and those of all indices. Values behind the last feature are zeros.
    """
    coded = zip(tables.rice, tables.flagged, strict=True)
    codes = [f"{rice | flag << 3:x}" for rice, flag in coded]
    mask, digits = (1 << tables.weight.width) - 1, -(-tables.weight.width // 4)
    size, weights = padded(tables.features, word), []
    for frame in range(tables.group):
        for value in range(size):
            at = frame * tables.features + value
            inside = value < tables.features
            told = [tables.offset[at], *tables.synthesis[:, at]] if inside else []
            told += [0] * (tables.indices + 1 - len(told))
            weights += [f"{int(one) & mask:0{digits}x}" for one in told]
    return {CODES: _file(codes, 4), WEIGHTS: _file(weights, tables.weight.width)}


def _file(words: list[str], bits: int) -> str:
    """Print words under a line that says what they are."""
    return "\n".join([f"// {len(words)} words of {bits} bits", *words]) + "\n"
