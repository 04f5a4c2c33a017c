import atexit
import os
import sys
from contextlib import suppress

from .cli import main

status = main()
if "tensorflow" in sys.modules:  # which takes 1.2 s to take itself apart
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)
raise SystemExit(status)
