"""A long skill with everything in it that splitting has to get right."""

MATTER = "---\nname: ship\ndescription: Ship a release. Use when a release is due.\n---\n"
FILLER = "This explains at some length why it is so, and what others did before us. " * 12
BODY = f"""
# Ship a release

Ship what was merged.

## When to use

- A release is due

## Rules

You MUST run the tests first. See [the steps](#steps) and [why](#background).

NEVER force a push.

## Steps

1. **Tag it.** {FILLER * 3}
2. **Push it.** {FILLER * 3}
3. Wait.

## Background

{FILLER}

See [the notes](docs/notes.md), [the rules](#rules) and [a label][home].

```md
[no link](docs/none.md)
```

## Examples

````md
```bash
# not a heading
```
{FILLER.upper()}
````

[home]: https://example.org/home
"""
SKILL = MATTER + BODY


def words(text: str) -> int:
    """A token counter for tests."""
    return len(text) // 4
