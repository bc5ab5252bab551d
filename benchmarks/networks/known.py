"""The networks by name, and how much data each is judged by."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from networks.network import Network


@dataclass(frozen=True)
class Known:
    """A network that can be made."""

    title: str
    module: str
    function: str
    count: int  # of words, speakers or pieces of data to judge by
    # What it is compressed to; see networks.compression.
    compressed: tuple[str, ...] = ()

    def make(self, cache: Path, size: float) -> Network:
        """Return the network with a share of its data."""
        make = getattr(import_module(f"networks.{self.module}"), self.function)
        made: Network = make(cache, max(2, round(size * self.count)))
        return made


def _blocks(*sizes: int) -> tuple[str, ...]:
    return tuple(f"block={size}" for size in sizes)


KNOWN = {
    "silero": Known("Silero VAD", "silero", "make", 24),
    "g2p": Known("g2p-en", "g2p", "make", 1500, _blocks(4, 8)),
    "opendpd": Known("OpenDPD's amplifier", "opendpd", "make", 32, _blocks(2, 4, 8)),
    "resemblyzer": Known("Resemblyzer", "resemblyzer", "make", 12),
    "resemblyzer_scaled": Known("Resemblyzer, inputs scaled", "resemblyzer", "make_scaled", 12),
    "dtln": Known("DTLN, model 1", "dtln", "make", 12),
    "nsnet2_16k": Known("NSNet2, 16 kHz", "nsnet2", "make_16k", 12),
    "nsnet2_48k": Known("NSNet2, 48 kHz", "nsnet2", "make_48k", 12),
    "rnnoise": Known("RNNoise", "rnnoise", "make", 12),
}
