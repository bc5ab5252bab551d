"""ernn: block-circulant recurrent networks, from speech to a bit-exact FPGA accelerator."""

__version__ = "0.1.0"
