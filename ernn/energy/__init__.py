"""Power, energy and the published accelerators that a design is compared with."""
