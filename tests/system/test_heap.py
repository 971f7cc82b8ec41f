"""The C library's heap: told where it can be told, left alone elsewhere."""

import platform
import subprocess
import sys

ASK = "from tokenbudget.system.heap import share_heap; print(share_heap())"


def test_glibc_shares_one_heap_and_other_libraries_are_left_alone() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, check=True, text=True)
    is_glibc = platform.libc_ver()[0] == "glibc"
    assert done.stdout.split() == [str(is_glibc)]
