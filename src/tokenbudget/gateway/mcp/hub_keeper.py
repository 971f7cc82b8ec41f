"""Ends the servers when the gateway is gone, however it went: also when it was killed.

A server reads the end of its input and ends; some do not, and a server that was started through
`npx` is a grandchild. So a small shell holds a pipe from the gateway and the process groups of its
servers: when the pipe ends, it sends what is left of them a TERM and then a KILL.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

_SCRIPT = """
trap '' INT TERM HUP
live=' '
while read -r sign group; do
  case $sign in
    +) live="$live$group " ;;
    -)
      rest=' '
      for one in $live; do [ "$one" = "$group" ] || rest="$rest$one "; done
      live=$rest ;;
  esac
done
[ "$live" = ' ' ] && exit
sleep 0.2 || sleep 1
for one in $live; do kill -TERM "-$one"; done
sleep 0.5 || sleep 1
for one in $live; do kill -KILL "-$one"; done
"""
SHELL = "/bin/sh"
WAIT_SECONDS = 0.5


class Keeper:
    """The shell that outlives the gateway by a second; started with the first server."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the shell runs."""
        return self._process is not None and self._process.poll() is None

    def watch(self, group: int) -> None:
        """End this process group when the gateway is gone."""
        self._say(b"+", group)

    def forget(self, group: int) -> None:
        """It has ended, and its number may be another's soon."""
        if self._process is not None:
            self._say(b"-", group)

    def close(self) -> None:
        """The gateway ends: so does the shell, after what is left of the servers."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(
                    0.05
                )  # at once where no server is left; else it is the system's to reap
            process.returncode = process.returncode or 0

    def _say(self, sign: bytes, group: int) -> None:
        if self._process is None:
            self._process = _started()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(b"%s %d\n" % (sign, group))


def _started() -> subprocess.Popen[bytes] | None:
    """The shell; None where there is none: then the end of its input has to end a server."""
    try:
        return subprocess.Popen(
            [SHELL, "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=os.sep,
            env={"PATH": os.defpath},
            start_new_session=True,  # a signal for the gateway's group is not for it
        )
    except OSError:
        return None
