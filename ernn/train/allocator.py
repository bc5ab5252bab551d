"""Keep the memory of one update for the next.

The buffers of an update are large, and glibc gives large ones back to the system at once: each
update then spends more time on faulting its pages in again than some of its products take
(`benchmarks/training_speed.py`).
"""

import ctypes

# From malloc.h: how much free memory stays at the top of the heap, how large a buffer goes there.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_TRIM_BYTES, _MMAP_BYTES = 2**31 - 1, 2**30
_OLD_MMAP_BYTES = 2**25  # the most that older versions take


def keep_memory() -> None:
    """Let this process keep freed memory; does nothing where the C library is not glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    if mallopt(_MMAP_THRESHOLD, _MMAP_BYTES) or mallopt(_MMAP_THRESHOLD, _OLD_MMAP_BYTES):
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
