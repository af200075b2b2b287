"""Run a command and write down what it took, from a process that is small itself.

Linux counts into a process's largest resident set what the one that started it held when it did.
Comparisons grow to 700 MB while one follows the other, so they don't start what they weigh.

    python -I -S weighed.py RESULT.json LONGEST COMMAND ...
"""

import json
import os
import signal
import sys
import time


def main() -> int:
    """Run it; its exit code, or 1 if a signal ended it."""
    result, longest, *command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, float(longest))
    _, status, usage = os.wait4(child, 0)
    took = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is larger
        json.dump(took, file)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
