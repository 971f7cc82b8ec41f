"""Make flat rows of JSON, the same for the same seed: what tools that list things give.

`python tools/json_rows.py [--rows 500] [--seed 7] [--indent N]` prints a list of objects with a
number, names, an address, an amount, a state, a time and a truth value: orders of a shop.
"""

from __future__ import annotations

import argparse
import json
import random

NAMES = ("Ada", "Blaise", "Carl", "Dorothy", "Emmy", "Felix", "Grace", "Henri", "Ida", "Jakob")
FAMILIES = ("Abel", "Bell", "Cantor", "Darwin", "Euler", "Fermat", "Gauss", "Hopper", "Ising")
STATES = ("open", "paid", "shipped", "returned", "cancelled")
COUNTRIES = ("DE", "FR", "GB", "IN", "JP", "US")


def rows(count: int, seed: int = 7) -> list[dict[str, object]]:
    """So many orders; each value is drawn anew, so no two rows are alike."""
    chance = random.Random(seed)
    made: list[dict[str, object]] = []
    for number in range(1, count + 1):
        name, family = chance.choice(NAMES), chance.choice(FAMILIES)
        made.append(
            {
                "id": number,
                "name": f"{name} {family}",
                "email": f"{name}.{family}{chance.randrange(100)}@example.com".lower(),
                "country": chance.choice(COUNTRIES),
                "amount": round(chance.uniform(1, 900), 2),
                "state": chance.choice(STATES),
                "ordered_at": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
                "is_gift": chance.random() < 0.2,
            }
        )
    return made


def compact(count: int, seed: int = 7) -> str:
    """The rows as compact JSON."""
    return json.dumps(rows(count, seed), separators=(",", ":"))


def main() -> None:
    """Print them."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("--rows", type=int, default=500)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--indent", type=int, default=0, help="0 is compact")
    told = asked.parse_args()
    made = rows(told.rows, told.seed)
    print(json.dumps(made, indent=told.indent) if told.indent else compact(told.rows, told.seed))


if __name__ == "__main__":
    main()
