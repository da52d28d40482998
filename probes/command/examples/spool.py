#!/usr/bin/env python3
"""A readygate probe in Python: is the mail spool drained before the release?

Protocol readygate/1: one JSON object comes on standard input, one goes to standard output. Everything
else (messages, tracebacks) belongs on standard error. Exit with 0 whenever the answer is complete.
"""

import json
import pathlib
import sys
import time


def answer(**parts):
    json.dump({"protocol": "readygate/1", **parts}, sys.stdout)
    sys.exit(0)


def could_not(kind, message, **more):
    answer(error={"kind": kind, "message": message, **more})


request = json.load(sys.stdin)
options = request["with"]
spool = pathlib.Path(options["spool"])
limit = options.get("limit", 100)

try:
    ages = [time.time() - entry.stat().st_mtime for entry in spool.iterdir() if entry.is_file()]
except OSError as error:
    could_not(
        "no-data",
        error.strerror,
        subject=str(spool),
        phase="listing the spool",
        hint="correct `with.spool`, or start the mailer that creates the folder",
    )

answer(
    metrics={
        "waiting": {"value": len(ages), "unit": "count"},
        "oldest": {"value": max(ages, default=0), "unit": "s"},
    },
    checks=[
        {
            "rule": "spool/too-long",
            "subject": f"{spool} for {request['target']['name']}",
            "outcome": "passed" if len(ages) <= limit else "failed",
            "message": f"{len(ages)} mails are waiting",
            "expected": f"at most {limit}",
            "actual": str(len(ages)),
            "hint": "let the mailer finish, or see its log for what holds it up",
        }
    ],
)
