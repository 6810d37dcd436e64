#!/usr/bin/env python3
"""mutants.py PROGRAM [FILTER]: weakens one atomic access of src/ after another by a step, and tells
whether PROGRAM, a test binary with the sites compiled in, notices. Exits with 1 if a mutant
survives that docs/ordering.md does not name in its section on survivors."""

import os
import pathlib
import re
import subprocess
import sys

WEAKER = {
    "load": {"SeqCst": "Acquire", "Acquire": "Relaxed"},
    "store": {"SeqCst": "Release", "Release": "Relaxed"},
    "swap": {"SeqCst": "AcqRel", "AcqRel": "Acquire", "Acquire": "Relaxed", "Release": "Relaxed"},
    "fence": {"SeqCst": "Relaxed"},
}
SITE = re.compile(r'site\(\s*"([^"]+)",\s*(\w+)\s*\)')
FENCE = re.compile(r'(?:fence|light|heavy)\("([^"]+)"\)')
PATIENCE = 900  # seconds; a program that is still running then has not noticed


def mutants(root):
    """(site, weaker ordering) of everything that can be weakened, each once."""
    found = {}
    for path in sorted((root / "src").rglob("*.rs")):
        text = path.read_text()
        for match in SITE.finditer(text):
            # The call that the site is an argument of is the last one that was opened before it.
            calls = re.findall(r"\.(load|store|swap|replace\w*|fetch_\w+|epoch|advance)\(",
                               text[max(0, match.start() - 160):match.start()])
            call = calls[-1] if calls else "swap"
            kind = {"load": "load", "epoch": "load", "store": "store"}.get(call, "swap")
            weaker = WEAKER[kind].get(match[2])
            if weaker:
                found[match[1]] = weaker
        for match in FENCE.finditer(text):
            found[match[1]] = "Relaxed"
    return sorted(found.items())


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    program, only = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    known = (root / "docs/ordering.md").read_text().partition("## Survivors")[2]
    killed, survived, unknown = 0, 0, []
    for site, weaker in mutants(root):
        if only not in site:
            continue
        mutant = f"{site}={weaker}"
        environment = {**os.environ, "QUEUES_MUTANT": mutant, "RUST_BACKTRACE": "0"}
        try:
            test = subprocess.run([program, "-q"], env=environment, timeout=PATIENCE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            noticed = test.returncode != 0
        except subprocess.TimeoutExpired:
            noticed = False
        killed += noticed
        survived += not noticed
        if not noticed and f"`{site}`" not in known:
            unknown.append(mutant)
        print(f"{'killed  ' if noticed else 'SURVIVED'} {mutant}", flush=True)
    print(f"{killed} mutants killed, {survived} survived, {len(unknown)} of them unexplained")
    sys.exit(1 if unknown else 0)


main()
