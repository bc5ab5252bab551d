"""What zipfile raises of a damaged archive, one with a password, or one of another version."""

import zipfile
import zlib

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
