"""Runs a command three times in a row on a machine that is busy: `make test-busy`.

Beside it an endless loop runs for each core. A test that passes here waits for what it needs, not
for a time that is long enough on a quiet machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

RUNS = 3

# Ends with the process that began it, however that ends.
LOOP = "import os\nwhile os.getppid() == {}:\n    for _ in range(10**6): pass"


def main(command: list[str]) -> int:
    """Run the command, tell of each run in a line, and return 1 if one failed, else 0."""
    loop = [sys.executable, "-c", LOOP.format(os.getpid())]
    loops = [subprocess.Popen(loop) for _ in range(os.cpu_count() or 1)]
    told, failed = [], 0
    try:
        for number in range(1, RUNS + 1):
            begun = time.monotonic()
            status = subprocess.run(command).returncode
            failed += status != 0
            ended = f"failed, exit status {status}" if status else "passed"
            told.append(f"run {number} of {RUNS}: {ended}, {time.monotonic() - begun:.0f} s")
            print(told[-1], flush=True)
    finally:
        for one in loops:
            one.kill()
            one.wait()
    print(f"\nBeside {len(loops)} busy loops:", *told, sep="\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
