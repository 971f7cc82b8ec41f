"""The invented developer: three projects with their files, wishes, commands, skills and servers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command, what the agent says it is for, and the head of its output."""

    line: str
    purpose: str
    output: str


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool of an MCP server with one believable argument and answer."""

    server: str
    name: str
    argument: tuple[str, str]
    answer: str


@dataclass(frozen=True, slots=True)
class Project:
    """A repository as its agent sees it."""

    name: str
    language: str
    files: tuple[str, ...]
    branches: tuple[str, ...]
    prompts: tuple[str, ...]
    commands: tuple[Command, ...]
    skills: tuple[str, ...]
    mcp_tools: tuple[McpTool, ...]
    memory: str

    @property
    def home(self) -> str:
        """The directory that the repository is checked out in."""
        return f"/home/dev/{self.name}"


WEBSHOP = Project(
    name="webshop",
    language="typescript",
    files=(
        "src/cart/cartService.ts",
        "src/cart/discounts.ts",
        "src/checkout/payment.ts",
        "src/checkout/shipping.ts",
        "src/catalog/search.ts",
        "src/api/orders.ts",
        "src/ui/ProductCard.tsx",
        "tests/cart.spec.ts",
    ),
    branches=("main", "feature/gift-cards", "fix/cart-rounding"),
    prompts=(
        "The cart total is off by one cent when two percentage discounts stack. Find out why.",
        "Add gift cards as a payment method; they may cover only part of an order.",
        "Search returns sold-out products first. Put them last but keep them findable.",
        "Checkout feels slow since Tuesday. Profile it and tell me the three worst spots.",
        "Write a test that fails for the rounding bug before you fix it.",
        "Move shipping costs out of the order API into their own module.",
        "Customers with an umlaut in their name get a broken invoice. Please look into it.",
    ),
    commands=(
        Command("npm test -- --run", "Run the unit tests", " RUN  v3.2.1 /home/dev/webshop\n"),
        Command("npx tsc --noEmit", "Check the types", "src/checkout/payment.ts(88,7): "),
        Command("git diff --stat", "See what changed", " src/cart/cartService.ts | 24 +++---\n"),
        Command("npm run build", "Build the shop", "> webshop@4.2.0 build\n> vite build\n"),
    ),
    skills=("code-review", "release-notes"),
    mcp_tools=(
        McpTool("browser", "snapshot", ("page", "/checkout"), "- heading 'Your order'\n- list\n"),
        McpTool("issues", "search", ("query", "cart rounding"), "#412 Total off by one cent\n"),
    ),
    memory="# Webshop\nPrices are integers in cents. Every bug fix starts with a failing test.\n",
)

DATA_PIPELINE = Project(
    name="data-pipeline",
    language="python",
    files=(
        "pipeline/ingest.py",
        "pipeline/transform.py",
        "pipeline/quality.py",
        "pipeline/warehouse.py",
        "pipeline/schedule.py",
        "sql/daily_revenue.sql",
        "tests/test_transform.py",
        "tests/test_quality.py",
    ),
    branches=("main", "perf/partitioned-load"),
    prompts=(
        "Last night's load took four hours instead of one. What changed?",
        "Split the revenue job by region so that a failed region can run again alone.",
        "The quality gate lets null customer ids through. Close that hole and add a test.",
        "Explain how late events reach the warehouse; I have to present it tomorrow.",
        "Replace the hand-written retry loop with one place that knows which errors to retry.",
        "Make the transform step read partitions instead of the whole table.",
    ),
    commands=(
        Command("python -m pytest -q", "Run the tests", "........................F.......\n"),
        Command("python -m pipeline.ingest --dry-run", "Try the ingest", "plan: 14 partitions\n"),
        Command("tail -n 200 logs/nightly.log", "Read the nightly log", "[nightly] start\n"),
        Command("git log --oneline -15", "See recent commits", "8c1f0aa load: larger batches\n"),
    ),
    skills=("sql-tuning", "incident-report"),
    mcp_tools=(
        McpTool("warehouse", "query", ("sql", "select count(*) from orders"), "count\n1840233\n"),
        McpTool("warehouse", "describe_table", ("table", "orders"), "id bigint not null\n"),
    ),
    memory="# Data pipeline\nJobs are idempotent. Never delete a partition by hand.\n",
)

MOBILE_APP = Project(
    name="mobile-app",
    language="kotlin",
    files=(
        "app/src/main/kotlin/sync/SyncWorker.kt",
        "app/src/main/kotlin/sync/ConflictResolver.kt",
        "app/src/main/kotlin/notes/NoteRepository.kt",
        "app/src/main/kotlin/notes/NoteScreen.kt",
        "app/src/main/kotlin/login/Session.kt",
        "app/src/test/kotlin/sync/SyncWorkerTest.kt",
    ),
    branches=("develop", "feature/offline-notes"),
    prompts=(
        "Notes written offline are lost when two devices sync at once. Reproduce it first.",
        "Add pull to refresh to the note list.",
        "The app asks for a login after every update. Why does the session not survive?",
        "Turn the settings screen into a list that tests can drive.",
        "Reduce the start time; the splash screen stays for two seconds.",
    ),
    commands=(
        Command("./gradlew testDebugUnitTest", "Run the unit tests", "> Task :app:compileKotlin\n"),
        Command("./gradlew lint", "Run lint", "> Task :app:lintAnalyzeDebug\n"),
        Command("adb logcat -d -t 300", "Read the device log", "I/SyncWorker: queued 3 notes\n"),
        Command("git status --short", "See what changed", " M app/src/main/kotlin/sync\n"),
    ),
    skills=("store-listing", "crash-triage"),
    mcp_tools=(
        McpTool(
            "device", "screenshot", ("screen", "notes"), "Screen 'Notes', 14 rows, no dialog\n"
        ),
        McpTool("issues", "search", ("query", "lost notes"), "#77 Note vanished after sync\n"),
    ),
    memory="# Mobile app\nScreens hold no logic. A migration never drops a column.\n",
)

PROJECTS = (WEBSHOP, DATA_PIPELINE, MOBILE_APP)

FOLLOW_UPS = (
    "Good. Now run the tests again.",
    "Please also update the documentation for this.",
    "Why did you choose that? Is there a simpler way?",
    "Yes, do it that way.",
    "Undo the last edit, it broke the build.",
    "Commit this with a message that says why.",
    "What is left to do before I can merge?",
)

REMARKS = (
    "I will read the code that is involved before I change anything.",
    "The failing case is narrower than it looked: it needs two writes within one tick.",
    "That confirms it. The value is rounded twice, once per item and once for the sum.",
    "The tests pass now. Before I finish, one more look at the callers.",
    "This function is called from three places, and only one of them checks the result.",
    "I found the cause. The cache is filled before the transaction has been committed.",
    "Two of the warnings are real; the third one is a false alarm of the checker.",
    "Done. The change is small, and the new test fails without it.",
)

THOUGHTS = (
    "Which of these paths can be reached with an empty list? Check the caller first.",
    "The order of the two updates matters here, and the log shows them swapped.",
    "A smaller change would do, but it would hide the cause.",
)
