"""The latency gate: how often it is wrong, and how long it takes."""

from __future__ import annotations

from figures import at_least, at_most

from goals.listing import by_run, counted

GATE = (
    *(
        counted("gate_verdicts", f"gate.{condition}.{arm}", f"{condition}: {what}", goal)
        for condition, least in (("quiet", (95, 97)), ("noisy", (80, 95)))
        for arm, what, goal in (
            ("same", "false alarms on the same net, upper bound", at_most(2, "%")),
            ("faster", "false alarms on a faster net, upper bound", at_most(2, "%")),
            ("slower-5", "slower by 5 %, found, lower bound", at_least(least[0], "%")),
            ("slower-10", "slower by 10 %, found, lower bound", at_least(least[1], "%")),
        )
    ),
    counted("gate_verdicts", "gate.noisy.pass", "noisy: the same net passes", at_least(80, "%")),
    counted("gate_verdicts", "gate.quiet.open", "quiet: inconclusive, the worst", at_most(5, "%")),
    counted(
        "gate_verdicts",
        "gate.verdicts",
        "verdicts that each of these rates is counted on, the fewest",
        at_least(150),
    ),
    by_run("gate_time", "gate.time", "a verdict on a 1 ms model, the longest", at_most(20, "s")),
)
