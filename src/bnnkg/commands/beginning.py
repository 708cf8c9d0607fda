"""Where a user begins."""

import sys

from bnnkg.invocation import App, Invocation

_OK = {True: "yes", False: "NO", None: "-"}

app = App()


@app.add("demo", example="bnnkg demo")
def demo(call: Invocation) -> None:
    """Take a worm's nervous system from files to answers.

    In about two minutes, the 302 neurons of C. elegans and their 3,363 projections (from the
    package c302) are read, loaded into a local Neo4j, learned from, annotated and asked.
    """
    from bnnkg.reports import demonstration_json, write_demonstration
    from bnnkg.store.server import status
    from bnnkg.workflows.demonstration import demo

    settings = call.settings()
    with call.progress() as progress:
        result = demo(settings=settings, progress=progress)
    address = status(settings.home).browser if settings.is_local else None
    if call.json:
        call.show(demonstration_json(result, address))
    else:
        write_demonstration(result, address, sys.stdout)


@app.add("doctor", example="bnnkg doctor")
def doctor(call: Invocation) -> int:
    """Check what bnnkg needs; show where each setting is from."""
    from bnnkg.workflows.health import doctor

    checks = doctor(call.settings())
    all_well = all(check.ok is not False for check in checks)
    if call.json:
        call.show({"ok": all_well, "checks": [vars(check) for check in checks]})
    else:
        call.show_table(
            {
                "check": [check.name for check in checks],
                "ok": [_OK[check.ok] for check in checks],
                "found": [check.detail for check in checks],
                "to do": [check.hint for check in checks],
            },
            whole=True,
        )
    return 0 if all_well else 1
