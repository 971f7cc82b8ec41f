"""Stack traces: library calls folded, a trace that stood there before told once."""

from __future__ import annotations

import pytest
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression.codecs.traces import CODEC
from tokenbudget.compression.passage import BALANCED, LEVELS, VERBOSE, Origin

SITE = "/home/dev/shop/.venv/lib/python3.12/site-packages"

PYTHON = f"""\
Traceback (most recent call last):
  File "/home/dev/shop/app.py", line 12, in handle
    return router.dispatch(request)
           ^^^^^^^^^^^^^^^^^^^^^^^^
  File "{SITE}/web/router.py", line 88, in dispatch
    return self.app(scope)
  File "{SITE}/web/middleware.py", line 40, in __call__
    response = self.inner(scope)
               ^^^^^^^^^^^^^^^^^
  File "{SITE}/web/middleware.py", line 44, in inner
    return self.next(scope)
  File "{SITE}/web/errors.py", line 190, in call
    return handler(scope)
  File "/home/dev/shop/cart.py", line 7, in total
    return 1 / len(items)
ZeroDivisionError: division by zero"""

JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: no cart for 4711
\tat shop.Cart.total(Cart.java:12)
\tat org.springframework.web.A.invoke(A.java:189)
\tat org.springframework.web.B.invoke(B.java:44)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:580)
\tat org.springframework.web.C.invoke(C.java:87)
\tat shop.Main.main(Main.java:5)
Caused by: java.io.IOException: closed
\t... 23 more"""

NODE = """\
TypeError: Cannot read properties of undefined (reading 'total')
    at Cart.total (/home/dev/shop/src/cart.js:12:20)
    at next (/home/dev/shop/node_modules/express/lib/router/route.js:144:13)
    at Route.dispatch (/home/dev/shop/node_modules/express/lib/router/route.js:114:3)
    at Layer.handle (/home/dev/shop/node_modules/express/lib/router/layer.js:95:5)
    at /home/dev/shop/node_modules/express/lib/router/index.js:284:15
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at async main (/home/dev/shop/src/main.js:4:3)"""

GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
shop/cart.Total(0xc000012345, 0x3)
\t/home/dev/shop/cart/cart.go:12 +0x1d
net/http.HandlerFunc.ServeHTTP(0xc000012345)
\t/usr/local/go/src/net/http/server.go:2171 +0x29
net/http.(*ServeMux).ServeHTTP(0xc000012345)
\t/usr/local/go/src/net/http/server.go:2688 +0x1ad
net/http.serverHandler.ServeHTTP({0xc000012345})
\t/usr/local/go/src/net/http/server.go:3142 +0x8e
net/http.(*conn).serve(0xc000012345)
\t/usr/local/go/src/net/http/server.go:2044 +0x5e8
main.main()
\t/home/dev/shop/main.go:9 +0x65"""

ALL = {"python": PYTHON, "java": JAVA, "node": NODE, "go": GO}
OURS = {
    "python": ["app.py", "cart.py", "ZeroDivisionError", "router.py", "errors.py"],
    "java": ["Cart.java:12", "Main.java:5", "no cart for 4711", "closed", "... 23 more", "A.java"],
    "node": ["cart.js:12:20", "main.js:4:3", "Cannot read", "route.js:144"],
    "go": ["cart.go:12", "main.go:9", "index out of range"],
}


@pytest.mark.parametrize("language", ALL)
def test_library_calls_are_folded_and_ours_stay(language: str) -> None:
    text = ALL[language]
    draft = drafted(CODEC, text)
    assert draft is not None
    assert "frame lines]" in draft.text
    assert_accounted(text, draft)
    for part in OURS[language]:
        assert part in draft.text


@pytest.mark.parametrize("language", ALL)
def test_a_trace_that_stood_there_before_is_told_once(language: str) -> None:
    text = "\n".join(f"request {n} went wrong\n{ALL[language]}" for n in range(4))
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.count("lines as above]") == 3
    assert all(f"request {n} went wrong" in draft.text for n in range(4))
    assert draft.text.count(ALL[language].split("\n")[0]) == 4
    assert_accounted(text, draft)


def test_where_an_error_was_raised_stays_even_in_a_library() -> None:
    raised = PYTHON[: PYTHON.index('  File "/home/dev/shop/cart.py"')] + "ValueError: no"
    draft = drafted(CODEC, raised)
    assert draft is not None
    assert "errors.py" in draft.text
    assert "return handler(scope)\nValueError: no" in draft.text


def test_a_short_trace_stays_whole() -> None:
    assert drafted(CODEC, "\n".join(NODE.split("\n")[:4])) is None


def test_a_file_that_shows_a_trace_is_left_alone() -> None:
    assert drafted(CODEC, PYTHON * 3, origin=Origin("Read", path="docs/errors.md")) is None


def test_verbose_loses_nothing() -> None:
    assert drafted(CODEC, PYTHON, VERBOSE) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


def test_a_trace_in_any_place_of_a_run_is_accounted_for() -> None:
    text = "\n".join([*(f"line {n}" for n in range(900)), PYTHON, *("x" for _ in range(900))])
    draft = drafted(CODEC, PYTHON + "\n" + text, BALANCED)
    assert draft is not None
    assert_accounted(PYTHON + "\n" + text, draft)


def test_which_trace_is_meant_is_told_where_several_stand_above() -> None:
    other = PYTHON.replace("cart.py", "tax.py").replace("errors.py", "faults.py")
    assert other.split("\n")[1] == PYTHON.split("\n")[1]  # both begin with the same call
    draft = drafted(CODEC, f"{PYTHON}\n\n{other}\n\n{PYTHON}\n\n{other}")
    assert draft is not None
    assert "as above" not in draft.text
    unlike = other.replace("app.py", "worker.py")
    assert unlike.split("\n")[1] != PYTHON.split("\n")[1]
    text = f"{PYTHON}\n\n{unlike}\n\n{PYTHON}\n\n{unlike}"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.count("lines as above]") == 2
    assert draft.text.count(PYTHON.split("\n")[1]) == 2
    assert draft.text.count(unlike.split("\n")[1]) == 2
    assert_accounted(text, draft)
