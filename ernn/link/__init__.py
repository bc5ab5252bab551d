"""The link to the board: features compressed on the host, restored in front of the first layer."""
