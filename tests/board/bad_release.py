"""A release that installs well and does badly later, made of the one that runs on a board."""

from __future__ import annotations

# Run there: `ID WORD DOES`. Makes an environment of that id, whose Python does DOES (of the shell)
# where its arguments hold WORD, and a release that it runs, in incoming; prints the release's id.
PLANT = """
import sys
from dataclasses import replace
from pathlib import Path
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.release import BUNDLE, RELEASE, SIGNATURE
name, word, does = sys.argv[1:]
board = Board(Path("/opt/edgecrnn"))
running = board.linked(board.current)
release = board.read_release(running)
folder = board.environment(name)
(folder / "bin").mkdir(parents=True)
good = board.environment(release.environment) / "bin/python"
python = folder / "bin/python"
python.write_text(f'#!/bin/sh\\ncase "$*" in *"{word}"*) {does};; esac\\nexec {good} "$@"\\n')
python.chmod(0o755)
(folder / "complete").touch()
bad = replace(release, environment=name)
came = board.incoming(bad.id)
came.mkdir(parents=True)
for file in (BUNDLE, SIGNATURE):
    (came / file).write_bytes((board.release(running) / file).read_bytes())
(came / RELEASE).write_bytes(bad.to_bytes())
print(bad.id)
"""
# systemd's patience with a supervisor, in seconds instead of minutes.
QUICK = """
[Unit]
StartLimitBurst=2
[Service]
WatchdogSec=20
TimeoutStartSec=20
RestartSec=1
"""
HANGS = "exec sleep 1000"
