"""``python -m ernn`` is ``ernn``; torch's launcher starts it so."""

from ernn.cli import main

main()
