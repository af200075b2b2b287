"""``edgeopt doctor``."""

from __future__ import annotations

from edgeopt.cli.command import command
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

EXAMPLES = ("edgeopt doctor", "edgeopt doctor --json")
UNFIT = 3


@command("doctor", examples=EXAMPLES)
@common_options
def doctor(terminal: Terminal) -> int:
    """Show what is installed here, and what each missing part needs.

    The exit code is 3 if a package that EdgeOpt can't do without is missing or broken; an extra
    that isn't installed is no fault.
    """
    from edgeopt.pipeline.doctor import doctor as run

    with terminal.progress("importing what is installed") as progress:
        diagnosis = run(progress=progress)
    from edgeopt.cli.views.diagnosis import draw_diagnosis

    terminal.show(diagnosis, draw_diagnosis)
    terminal.warn(*diagnosis.warnings)
    return 0 if diagnosis.healthy else UNFIT
