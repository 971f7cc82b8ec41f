"""The small script that starts the sandbox's worker with as little as it can live with.

The worker runs code in an interpreter of its own that knows no files, no network and no
environment. The script is the second wall, for the day that the interpreter has a hole: no
memory, open files, file sizes and core dumps beyond limits, an empty folder, an empty
environment, no words on our standard error; and where the system has them and lets us, name
spaces without network, no new privileges, and its death with ours. What is in force is tried
each time by the script itself, since it costs 3 ms and can differ after every update.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from zlib import crc32

from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.sandbox_values import Limits

STRENGTH = "--strength"
_WITHOUT = ("process",)
_PROBE_SECONDS = 5.0
_ROOM_MB = 400
"""Beside its values: 116 MB of addresses at start, and what crosses to us, in both forms."""
_CPU_SECONDS = 3_600
"""Of a whole session; one run has its own, much shorter limit."""
_OPEN_FILES = 64

_SCRIPT = """\
#!/bin/sh
# Starts the worker that runs code for `tokens gateway`. Made anew when needed.
PATH=/usr/bin:/bin:/usr/sbin:/sbin
limits=
ulimit -c 0 2>/dev/null && ulimit -f 0 2>/dev/null && ulimit -n {files} 2>/dev/null \\
  && ulimit -t {seconds} 2>/dev/null && limits=limits
ulimit -v {kilobytes} 2>/dev/null && limits="$limits memory"
cd {empty} || exit 1
try() {{ "$@" true >/dev/null 2>&1 </dev/null; }}
held=
spaces="unshare --user --net --ipc --uts --"
if try $spaces; then held=network; else spaces=; fi
for rights in "setpriv --pdeathsig KILL --no-new-privs --inh-caps=-all --bounding-set=-all --" \\
  "setpriv --pdeathsig KILL --no-new-privs --" "setpriv --no-new-privs --" ""; do
  [ "$rights" ] && try $spaces $rights && held="$held privileges" && break
done
[ "$1" = {strength} ] && {{ echo "process $limits $held"; exit 0; }}
exec env -i $spaces $rights {program} "$@" 2>/dev/null
"""


def launcher(folder: str, program: str, limits: Limits) -> str | None:
    """The path of the script, written where it is not there yet; None where it cannot be."""
    if os.name != "posix":
        return None
    empty = os.path.join(folder, "empty")
    text = _SCRIPT.format(
        files=_OPEN_FILES,
        seconds=_CPU_SECONDS,
        kilobytes=(limits.memory_mb + _ROOM_MB) * 1024,
        empty=shlex.quote(empty),
        strength=STRENGTH,
        program=shlex.quote(program),
    ).encode()
    path = os.path.join(folder, f"start-{crc32(text):08x}")
    try:
        make_private(empty)
        if not _holds(path, text):
            write_atomic(path, text, mode=0o700)
    except OSError:
        return None
    return path


def strength(path: str | None) -> tuple[str, ...]:
    """What holds the worker, in words: `process`, `limits`, `memory`, `network`, `privileges`.

    Only `process` where there is no script, or the script cannot run.
    """
    if path is None:
        return _WITHOUT
    try:
        ran = subprocess.run(
            [path, STRENGTH], capture_output=True, timeout=_PROBE_SECONDS, check=False, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return _WITHOUT
    return tuple(ran.stdout.split()) if ran.returncode == 0 else _WITHOUT


def keep_descriptors() -> None:
    """Nothing that the gateway itself inherited goes on to a worker."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.isdigit() and int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:
                continue  # the one that listed the folder is closed already


def _holds(path: str, text: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(text) + 1) == text and os.access(path, os.X_OK)
    except OSError:
        return False
