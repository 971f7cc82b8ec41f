"""Lines of logs: what a quiet flag would drop, and what stays."""

from __future__ import annotations

import pytest

from tokenbudget.analysis.drains.log_lines import is_quiet_line


@pytest.mark.parametrize(
    "line",
    [
        "tests/test_a.py::test_error_is_raised PASSED                    [ 12%]",
        "tests/test_a.py::TestB::test_c[a b] PASSED [  1%]",
        "tests/test_a.py ................                    [ 12%]",
        "[gw3] [ 45%] PASSED tests/test_a.py::test_b",
        "test_upper (test_a.TestB) ... ok",
        "  \x1b[32m✓\x1b[39m adds up (3 ms)",
        " ✓ src/cart.test.ts (12 tests) 34ms",
        "PASS src/cart.test.ts",
        "ok 12 - adds up",
        "=== RUN   TestErrorOfCart/empty",
        "    --- PASS: TestErrorOfCart/empty (0.00s)",
        "ok  \texample.com/cart\t0.021s",
        "?   \texample.com/cart/cmd\t[no test files]",
        "go: downloading golang.org/x/text v0.3.7",
        "test cart::tests::it_adds ... ok",
        "   Compiling thiserror v1.0.40",
        "npm warn deprecated glob@7.2.3: no longer supported",
        "Requirement already satisfied: numpy in /usr/lib/python3",
        "     ━━━━━━━━━━━━━━━━━━ 1.2/1.2 MB 9.9 MB/s eta 0:00:00",
        "#12 [build 3/7] RUN pip install .",
        "#5 sha256:0a1b 3.15MB / 3.15MB 0.2s done",
        "Step 3/9 : COPY . .",
        "3f4e5d6c7b8a: Pull complete",
        "make[2]: Entering directory '/src'",
        "[ 42%] Building CXX object src/CMakeFiles/cart.dir/cart.cpp.o",
        "  CC      kernel/fork.o",
        "gcc -O2 -c cart.c -o cart.o",
        "> Task :app:compileJava UP-TO-DATE",
        "[INFO] Downloading from central: https://repo/x.pom",
        "Get:3 http://archive stable/main amd64 libc6 [2,800 kB]",
    ],
)
def test_lines_that_a_quiet_flag_drops(line: str) -> None:
    """Whatever the names in them say."""
    assert is_quiet_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "tests/test_a.py::test_b FAILED [ 12%]",
        "tests/test_a.py ....F.... [ 12%]",
        "FAILED tests/test_a.py::test_b - assert 1 == 2",
        "=========== 1 failed, 80 passed in 1.02s ===========",
        "80 passed in 1.02s",
        "--- FAIL: TestCart (0.00s)",
        "    cart_test.go:12: got 1, want 2",
        "FAIL\texample.com/cart\t0.021s",
        "ok, let us see",
        "test cart::tests::it_adds ... FAILED",
        "test result: ok. 12 passed; 0 failed",
        "error[E0308]: mismatched types",
        "warning: unused variable: `x`",
        "src/a.ts(3,5): error TS2322: Type 'string' is not assignable",
        "cart.c:3:5: warning: implicit declaration",
        "gcc: error: cart.c: No such file or directory",
        "make: *** [Makefile:3: all] Error 2",
        "[INFO] BUILD SUCCESS",
        "[INFO] Tests run: 12, Failures: 0",
        "[ERROR] COMPILATION ERROR",
        "added 120 packages in 3s",
        "Successfully installed numpy-2.1.0",
        "ERROR: No matching distribution found for nonsense",
        "  ✕ adds up (3 ms)",
        "#12 ERROR: process did not complete",
        "✓" + "x" * 600,
    ],
)
def test_lines_that_stay(line: str) -> None:
    """Failures, warnings, summaries, and whatever is not known."""
    assert not is_quiet_line(line)


def test_hostile_lines_are_judged_quickly() -> None:
    """Half a megabyte of lines made to be tried again and again."""
    lines = ["a::" * 160, "x" * 490 + ".py " + "." * 5 + "!", "test" + "(" * 400, "[" * 499] * 300
    assert not any(is_quiet_line(line) for line in lines)
