"""The process that a job runs in: reads what to do on stdin, tells how it goes on stdout.

Each line that it writes is a JSON object with one member: `progress` (done, total, step), `run`
(folder of the finished run) or `error` (why there is none).
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


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
        tell(run=str(done.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
