"""The process that a job runs in: reads what to do on stdin, tells how it goes on stdout.

Each line that it writes is a JSON object with one member: `progress` (done, total, step), `run`
(folder of the finished run) or `error` (why there is none). It does not outlive the twin: nobody
would bound it, or want what it makes.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

_LOOK_S = 0.5


def _end_with(parent: int) -> None:
    """End this process, its kernel first, when its parent has died (kill -9)."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run one job."""
    # what the libraries print must not end up between the lines that the twin reads
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)

        def tell(**what: Any) -> None:
            out.write(json.dumps(what) + "\n")
            out.flush()

        # as an exception, so that the run ends its kernel
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        twin = os.getppid()
        threading.Thread(target=_end_with, args=(twin,), daemon=True).start()
        job = json.load(sys.stdin)
        from ldt_toolbox.errors import LDTError
        from ldt_toolbox.run import run
        from ldt_toolbox.territory import Territory
        from ldt_toolbox.use_case import UseCase

        try:
            case = UseCase.read(Path(job["use_case"]))
            done = run(
                case, Territory.find(job["territory"]), job["given"], out=Path(job["out"]),
                progress=lambda *how: tell(progress=how),
            )  # fmt: skip
        except LDTError as error:
            tell(error=str(error).partition("\nkept:")[0])
            return 1
        finally:
            if os.getppid() != twin:  # who would take the results, or clear them away
                shutil.rmtree(job["out"], ignore_errors=True)
        tell(run=str(done.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
