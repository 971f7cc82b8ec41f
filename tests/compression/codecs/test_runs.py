"""Output of tests and builds: what went well is counted, what went wrong stays whole."""
# ruff: noqa: RUF001 - the tools print such characters

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression import noise
from tokenbudget.compression.codecs.runs import CODEC
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE

PYTEST = """\
============================= test session starts ==============================
platform linux -- Python 3.12.3, pytest-8.3.4, pluggy-1.5.0 -- /home/dev/shop/.venv/bin/python
rootdir: /home/dev/shop
collecting ... collected 7 items

tests/test_cart.py::test_total PASSED                                    [ 14%]
tests/test_cart.py::test_raises_error_when_empty PASSED                  [ 28%]
tests/test_cart.py::test_rounding FAILED                                 [ 42%]
tests/test_cart.py::test_tax[de-0.19] PASSED                             [ 57%]
tests/test_cart.py::test_tax[fr-0.20] PASSED                             [ 71%]
tests/test_cart.py::test_later SKIPPED (needs a server)                  [ 85%]
tests/test_cart.py::test_discount PASSED                                 [100%]

=================================== FAILURES ===================================
________________________________ test_rounding _________________________________

    def test_rounding():
>       assert total([1.005, 2]) == 3.01
E       assert 3.0 == 3.01
E        +  where 3.0 = total([1.005, 2])

tests/test_cart.py:21: AssertionError
----------------------------- Captured stdout call -----------------------------
======================== what the test itself prints ==========================
tests/test_cart.py::test_inner PASSED                                    [ 11%]
tests/test_cart.py::test_inner_too PASSED                                [ 12%]
=========================== short test summary info ============================
FAILED tests/test_cart.py::test_rounding - assert 3.0 == 3.01
==================== 1 failed, 5 passed, 1 skipped in 0.12s ===================="""

PYTEST_DOTS = """\
........................................................................ [ 22%]
........................................................................ [ 44%]
.........................F.............................................. [ 66%]
........................................................................ [ 88%]
......................................                                   [100%]
=================================== FAILURES ===================================
E       assert 1 == 2
tests/test_a.py:4: AssertionError
1 failed, 325 passed in 1.02s"""

UNITTEST = """\
test_add (tests.test_sum.SumTest.test_add) ... ok
test_error_text (tests.test_sum.SumTest.test_error_text) ... ok
test_sub (tests.test_sum.SumTest.test_sub) ... FAIL
test_mul (tests.test_sum.SumTest.test_mul) ... ok
test_div (tests.test_sum.SumTest.test_div) ... ok

======================================================================
FAIL: test_sub (tests.test_sum.SumTest.test_sub)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/home/dev/sum/tests/test_sum.py", line 9, in test_sub
    self.assertEqual(sub(3, 1), 3)
AssertionError: 2 != 3

----------------------------------------------------------------------
Ran 5 tests in 0.001s

FAILED (failures=1)"""

JEST = """\
PASS src/cart.test.ts
PASS src/tax.test.ts (5.021 s)
FAIL src/price.test.ts
  price
    ✓ adds (2 ms)
    ✓ throws an error without a currency (1 ms)
    ✕ rounds (4 ms)
    ✓ formats

  ● price › rounds

    expect(received).toBe(expected) // Object.is equality

    Expected: 3.01
    Received: 3

      12 |   it('rounds', () => {
    > 13 |     expect(total([1.005, 2])).toBe(3.01);
         |                               ^

      at Object.<anonymous> (src/price.test.ts:13:31)

Test Suites: 1 failed, 2 passed, 3 total
Tests:       1 failed, 14 passed, 15 total"""

VITEST = """\
 RUN  v3.0.5 /home/dev/shop

 ✓ src/cart.test.ts (12 tests) 14ms
 ✓ src/tax.test.ts (4 tests) 3ms
 ❯ src/price.test.ts (3 tests | 1 failed) 9ms
   ✓ price > adds 2ms
   ✓ price > formats 1ms
   × price > rounds 4ms
     → expected 3 to be 3.01 // Object.is equality

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/price.test.ts > price > rounds
AssertionError: expected 3 to be 3.01 // Object.is equality
 ❯ src/price.test.ts:13:31

 Test Files  1 failed | 2 passed (3)
      Tests  1 failed | 18 passed (19)"""

GO = """\
=== RUN   TestTotal
--- PASS: TestTotal (0.00s)
=== RUN   TestParse
=== RUN   TestParse/empty
=== RUN   TestParse/error_in_header
--- PASS: TestParse (0.00s)
    --- PASS: TestParse/empty (0.00s)
    --- PASS: TestParse/error_in_header (0.00s)
=== RUN   TestRound
    round_test.go:12: got 3, want 3.01
--- FAIL: TestRound (0.01s)
=== RUN   TestHangs
FAIL
FAIL\tshop/price\t0.012s
ok  \tshop/cart\t0.004s
ok  \tshop/tax\t(cached)
?   \tshop/cmd\t[no test files]
FAIL"""

CARGO = """\
   Compiling libc v0.2.155
   Compiling thiserror v1.0.61
   Compiling serde v1.0.203
   Compiling shop v0.1.0 (/home/dev/shop)
warning: unused variable: `x`
 --> src/lib.rs:3:9
    Finished `test` profile [unoptimized + debuginfo] target(s) in 2.31s
     Running unittests src/lib.rs (target/debug/deps/shop-5d1)

running 5 tests
test cart::adds ... ok
test cart::error_is_told ... ok
test price::rounds ... FAILED
test tax::germany ... ok
test tax::slow ... ignored

failures:

---- price::rounds stdout ----
thread 'price::rounds' panicked at src/price.rs:21:9:
assertion `left == right` failed
  left: 3.0
 right: 3.01
test inner::printed ... ok

failures:
    price::rounds

test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out"""

NODE = """\
▶ cart
  ✔ adds (0.521ms)
  ✔ subtracts (0.101ms)
  ✔ fails on an error (0.09ms)
  ✖ rounds (1.2ms)
▶ cart (3.1ms)
✔ tax (0.2ms)
ℹ tests 5
ℹ fail 1

✖ failing tests:

test at test/cart.test.js:9:3
✖ rounds (1.2ms)
  AssertionError [ERR_ASSERTION]: 3 == 3.01"""

GTEST = """\
[==========] Running 3 tests from 1 test suite.
[ RUN      ] Cart.Adds
[       OK ] Cart.Adds (0 ms)
[ RUN      ] Cart.Rounds
cart_test.cc:14: Failure
Expected equality of these values:
  total(items)
    Which is: 3
  3.01
[  FAILED  ] Cart.Rounds (0 ms)
[ RUN      ] Cart.Taxes
[       OK ] Cart.Taxes (1 ms)
[ RUN      ] Cart.Dies"""

MAKE = """\
make[1]: Entering directory '/home/dev/shop/src'
gcc -O2 -Wall -Iinclude -c cart.c -o cart.o
gcc -O2 -Wall -Iinclude -c tax.c -o tax.o
gcc -O2 -Wall -Iinclude -c price.c -o price.o
price.c: In function 'round_price':
price.c:12:5: error: expected ';' before 'return'
make[1]: *** [Makefile:9: price.o] Error 1
make[1]: Leaving directory '/home/dev/shop/src'
make: *** [Makefile:3: all] Error 2"""

PIP = """\
Collecting requests
  Downloading requests-2.32.3-py3-none-any.whl.metadata (4.6 kB)
Collecting urllib3<3,>=1.21.1 (from requests)
  Using cached urllib3-2.2.2-py3-none-any.whl.metadata (6.4 kB)
Requirement already satisfied: idna in ./lib/python3.12/site-packages (3.7)
Installing collected packages: urllib3, requests
Successfully installed requests-2.32.3 urllib3-2.2.2"""

DOCKER = """\
latest: Pulling from library/redis
f11c1adaa26e: Pulling fs layer
4a1f3a1f3a1f: Waiting
f11c1adaa26e: Verifying Checksum
f11c1adaa26e: Download complete
f11c1adaa26e: Pull complete
Digest: sha256:eadf354977d428e347d93046bb1a5569d701e8deb68f090215534a99dbcb23b9
Status: Downloaded newer image for redis:latest"""

ALL = {
    "pytest": PYTEST,
    "pytest -q": PYTEST_DOTS,
    "unittest": UNITTEST,
    "jest": JEST,
    "vitest": VITEST,
    "go": GO,
    "cargo": CARGO,
    "node": NODE,
    "googletest": GTEST,
    "make": MAKE,
    "pip": PIP,
    "docker": DOCKER,
}


def short(text: str, level: str = BALANCED) -> str:
    draft = drafted(CODEC, text, level)
    assert draft is not None
    return draft.text


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
@pytest.mark.parametrize("tool", ALL)
def test_every_line_is_shown_or_counted(tool: str, level: str) -> None:
    draft = drafted(CODEC, ALL[tool], level)
    assert draft is not None
    assert not draft.is_lossless
    assert len(draft.text) < len(ALL[tool])
    assert_accounted(ALL[tool], draft)


def test_verbose_loses_nothing_so_the_run_stays() -> None:
    assert drafted(CODEC, PYTEST, VERBOSE) is None


def test_pytest_keeps_its_failures_whole() -> None:
    text = short(PYTEST)
    assert text.count("[~ 5 passed lines]") == 1
    assert "tests/test_cart.py::test_rounding FAILED" in text
    assert "test_later SKIPPED (needs a server)" in text
    assert PYTEST[PYTEST.index("=== FAILURES") :] in text
    assert "test_raises_error_when_empty" not in text


def test_a_line_of_dots_with_a_failure_in_it_stays() -> None:
    text = short(PYTEST_DOTS)
    assert "[~ 4 passed lines]" in text
    assert ".........................F...." in text


def test_unittest_keeps_what_failed() -> None:
    text = short(UNITTEST)
    assert "[~ 4 passed lines]\ntest_sub (tests.test_sum.SumTest.test_sub) ... FAIL" in text
    assert UNITTEST[UNITTEST.index("FAIL: test_sub") :] in text


def test_jest_keeps_the_message_the_code_and_the_place() -> None:
    text = short(JEST)
    assert "[~ 5 passed lines]" in text
    assert "✕ rounds (4 ms)" in text
    assert JEST[JEST.index("  ● price") :] in text


def test_vitest_keeps_a_file_of_which_one_test_failed() -> None:
    text = short(VITEST)
    assert " ❯ src/price.test.ts (3 tests | 1 failed) 9ms" in text
    assert VITEST[VITEST.index("⎯⎯⎯⎯⎯⎯⎯ Failed") :] in text


def test_go_keeps_a_test_that_never_ended_and_one_that_failed() -> None:
    text = short(GO)
    assert "=== RUN   TestRound\n    round_test.go:12: got 3, want 3.01\n--- FAIL" in text
    assert "=== RUN   TestHangs" in text
    assert "TestParse" not in text
    assert "FAIL\tshop/price\t0.012s" in text


def test_the_log_of_a_go_test_that_passed_stays_with_its_name() -> None:
    logged = "=== RUN   TestA\n    a_test.go:3: hello\n--- PASS: TestA (0.00s)\n"
    text = short(GO + "\n" + logged)
    assert "=== RUN   TestA\n    a_test.go:3: hello" in text


def test_cargo_keeps_warnings_and_panics() -> None:
    text = short(CARGO)
    assert "warning: unused variable: `x`\n --> src/lib.rs:3:9" in text
    assert "[~ 3 passed lines]" in text
    assert "test tax::slow ... ignored" in text
    assert CARGO[CARGO.index("failures:") :] in text


def test_a_step_that_is_followed_by_trouble_stays() -> None:
    text = short(MAKE)
    assert "-c price.c -o price.o\nprice.c: In function" in text or "price.c:12:5: error" in text
    assert "-c tax.c" not in text


def test_a_test_that_began_and_never_ended_stays() -> None:
    assert "[ RUN      ] Cart.Dies" in short(GTEST)
    assert "[ RUN      ] Cart.Rounds\ncart_test.cc:14: Failure" in short(GTEST)
    assert "Cart.Adds" not in short(GTEST)


def test_what_was_installed_stays() -> None:
    text = short(PIP)
    assert text == (
        "[~ 5 build lines]\n"
        "Installing collected packages: urllib3, requests\n"
        "Successfully installed requests-2.32.3 urllib3-2.2.2"
    )


def test_the_last_step_of_a_build_that_was_stopped_stays() -> None:
    text = short("\n".join(f"[{n}/400] Building CXX object src/part_{n}.o" for n in range(1, 90)))
    assert text.endswith("[89/400] Building CXX object src/part_89.o")


@pytest.mark.parametrize(
    "line",
    [
        "✓ 12 checks, 1 failed",
        "test_a (x.Y) ... FAIL",
        "ok 3 - later # TODO",
        "tests/a.py::test_x XFAIL",
        "tests/a.py .F..  [ 50%]",
        "FAIL src/a.test.ts",
        "--- FAIL: TestX (0.00s)",
        "[  FAILED  ] A.B (0 ms)",
        "  Failed Name [1 ms]",
        "> Task :app:compileJava FAILED",
        "tests/a.py::test_x[ERROR] PASSED",
    ],
)
def test_what_did_not_pass_is_never_noise(line: str) -> None:
    text = "\n".join([*["tests/a.py::test_x PASSED"] * 9, line, *["tests/a.py::test_y PASSED"] * 9])
    assert line in short(text).split("\n")


@pytest.mark.parametrize(
    "line",
    [
        "[gw0] [ 50%] PASSED tests/a.py::test_x ",
        "tests/a.py ..........  [ 50%]",
        "test adds ... ok",
        "adds two numbers ... ok (2ms)",
        "        PASS [   0.004s] shop cart::adds",
        "(pass) cart > adds [0.12ms]",
        "✓ cart > adds [0.12ms]",
        "  ✓  1 [chromium] › cart.spec.ts:3:1 › adds (1.2s)",
        "Test Case '-[ShopTests testAdds]' passed (0.001 seconds).",
        "ok 3 - adds",
        " 3/40 Test  #3: cart_adds ....   Passed    0.01 sec",
        "com.shop.CartTest > adds() PASSED",
        "  Passed CartTests.Adds [1 ms]",
        "ok  \tshop/cart\t0.004s",
    ],
)
def test_what_passed_is_known_of_many_tools(line: str) -> None:
    assert noise.kind_of(line) == noise.PASSED


def test_colours_do_not_hide_a_run() -> None:
    coloured = PYTEST.replace("PASSED", "\x1b[32mPASSED\x1b[0m")
    draft = drafted(CODEC, coloured)
    assert draft is not None
    assert draft.text.startswith("[~ 14 terminal codes]\n====")
    assert "[~ 5 passed lines]" in draft.text
    assert_accounted(coloured, draft)


def test_prose_is_no_run() -> None:
    assert drafted(CODEC, "Nothing here passed.\nIt is prose.\n" * 40) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


@given(st.lists(st.sampled_from("\n".join(ALL.values()).split("\n")), max_size=60))
def test_lines_of_all_tools_in_any_order_are_accounted_for(lines: list[str]) -> None:
    assert_survives(CODEC, "\n".join(lines), (BALANCED, COMPRESSED))


@given(st.lists(st.sampled_from("\n".join(ALL.values()).split("\n")), max_size=60))
def test_no_line_that_tells_of_a_failure_is_ever_cut(lines: list[str]) -> None:
    draft = drafted(CODEC, "\n".join(lines), COMPRESSED)
    if draft is None:
        return
    left = draft.text.split("\n")
    for line in lines:
        if any(word in line for word in ("FAIL", "✕", "✖", "error:", "Error ", "panicked")):
            assert line in left or any("above" in one for one in left)


def test_the_summary_of_what_passed_is_counted() -> None:
    passed = [f"PASSED tests/test_cart.py::test_tax[{n}]" for n in range(20)]
    text = "\n".join([*passed, "SKIPPED [1] tests/test_cart.py:12: later", "20 passed, 1 skipped"])
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.split("\n") == ["[~ 20 passed lines]", *text.split("\n")[20:]]
    assert_accounted(text, draft)


@pytest.mark.parametrize(
    "line",
    [
        "  Building wheel for lxml (setup.py): finished with status 'error'",
        "Setting up postgresql-15 ... failed, see the journal",
        "Preparing metadata (pyproject.toml): finished with exit code 1",
    ],
)
def test_a_step_that_went_wrong_stays(line: str) -> None:
    steps = [f"Collecting package-{chr(97 + n)}" for n in range(20)]
    text = "\n".join([*steps, line, *steps, "done"])
    draft = drafted(CODEC, text)
    assert draft is not None
    assert line in draft.text.split("\n")
    assert_accounted(text, draft)
