"""What everybody knows and no tool says: words that mean the same, and what a task needs unsaid.

A person says "book a train for tomorrow", and means: find out the date, find the station, look for
tickets. `NEEDS` holds such steps by the words that call for them (`finding_needs` and
`finding_needs_daily` are the table); each is a search of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_needs import TABLE
from tokenbudget.gateway.mcp.finding_needs_daily import DAILY
from tokenbudget.gateway.mcp.finding_words import stem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ALIKE = """
analyze analyse analysis examine assess evaluate
article page story post
author creator
balance rest remaining
bill invoice receipt
branch fork
bug issue defect error ticket
build compile
buy purchase order shop
calculate compute evaluate sum
calendar schedule agenda
chart plot graph diagram visualize figure
chat conversation message channel
city town place location
cheap discount deal bargain
code program source script
comment note reply remark discussion
company corporation firm enterprise business
compare comparison diff versus
convert transform exchange translate
create make generate build produce draft compose
crypto cryptocurrency bitcoin ethereum coin token
dataset data package
delete remove erase drop
describe explain detail
details info information detail data
dish recipe meal food cook cuisine
doc document documentation manual
download fetch retrieve
edit modify change update patch revise
email mail message gmail
employee staff user member people
event meeting appointment
excel spreadsheet workbook xlsx sheet
fetch get retrieve read load
file document
find search lookup look query locate discover
folder directory
forecast predict prediction
game gaming player
get retrieve fetch obtain read
history historical past
homestay hotel lodging accommodation airbnb listing stay room
image picture photo figure
insert add append
job task work
label tag category
library package module dependency
line row
list enumerate
log history record
log output trace
map location geography
member user participant
merge combine join
movie film
music song audio track
news headline article
paper article research publication literature study arxiv
password secret token credential
people person user contact
pipeline workflow build ci
play start
popular trending hot top rank
powerpoint presentation slide deck ppt pptx
price cost quote rate
problem issue
profile account user
project repository workspace
publish release post
query search
random lottery dice chance
rank leaderboard top tier
recommend suggest advice
release version
remember memory store
rename move
report summary document
repository repo project
request ask
restaurant food dining eat cafe
restore recover
review comment feedback rating
route direction path way navigate itinerary
run execute launch
save store write export
screenshot picture capture
send post submit
share stock equity
site website web page
statistics metrics stats
stop cancel terminate kill
summarize summary abstract overview
table row database
test check validate verify
text content words
ticket reservation booking
time date clock
title name heading
train rail railway
translate language
trip travel journey tour vacation
video movie clip youtube
website url web page
word docx document
write save create
"""

_FILE_KINDS = """
doc docx rtf odt
    => create word document ; add paragraph word document ; add heading word document 0.4
    => get word document text ; read document
    => add paragraph word document ; add heading word document 0.6 ; get word document text 0.6
ppt pptx odp
    => create presentation ; add slide presentation ; save presentation
    => open presentation ; presentation info
    => open presentation ; save presentation ; add slide presentation 0.6
xls xlsx xlsm ods => write excel sheet => read excel sheet ; describe excel sheets 0.5
csv tsv => write file => read document csv ; read file 0.7
pdf => convert to pdf => read pdf document ; document reader
png jpg jpeg gif webp bmp svg tiff => save image 0.5 => extract image file 0.7
mp3 wav flac ogg m4a => download audio => load audio
mp4 mov mkv avi webm => download video => video transcript
zip tar gz 7z => archive compress => extract archive
bib ris => write file => read file
md markdown txt text html htm css scss js jsx ts tsx py java go rs c cpp h json yaml yml
 toml xml ini log sql sh rst tex mmd env cfg conf properties ipynb r rb php kt swift vue
    => write file
    => read file
    => edit file ; read file
"""


_SINGULARS = {
    "news": "news", "does": "does", "always": "always", "kubernetes": "kubernetes",
    "series": "series", "species": "species", "movies": "movie", "calories": "calorie",
    "cookies": "cookie",
}  # fmt: skip
"""Words that only look like a plural, and plurals that other rules would spoil."""


class Need(NamedTuple):
    """One thing to look for."""

    text: str
    weight: float


class FileKind(NamedTuple):
    """What writing, reading and changing such files needs."""

    writing: tuple[Need, ...]
    reading: tuple[Need, ...]
    editing: tuple[Need, ...]


_SPOKEN = re.compile(r"[a-z0-9][a-z0-9.'-]{0,60}[a-z0-9]|[^\W_]")


def spoken(text: str) -> list[str]:
    """The words of a text in the singular; of Chinese, its characters."""
    return [singular(word) for word in _SPOKEN.findall(text.lower())]


@lru_cache(maxsize=20_000)
def singular(word: str) -> str:
    """A word in the singular: what calls for a step does so in either number.

    Verbs keep their endings: without them `recording` and `building` would be what they are not.
    """
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    if word in _SINGULARS:
        return _SINGULARS[word]
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 5:
        return f"{word[:-3]}y"
    return word[:-1] if word[-1] == "s" and word[-2] not in "sui" else word


def joined(spoken_words: Sequence[str]) -> str:
    """Some words that stand together as `NEEDS` knows them."""
    phrase = " ".join(spoken_words)
    return phrase if phrase.isascii() else phrase.replace(" ", "")


def _alike() -> dict[str, tuple[str, ...]]:
    groups = [[stem(word) for word in line.split()] for line in _ALIKE.strip().splitlines()]
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        for word in group:
            found.setdefault(word, {}).update((other, None) for other in group if other != word)
    return {word: tuple(others) for word, others in found.items()}


def _needs(text: str) -> tuple[Need, ...]:
    found = []
    for one in text.split(";"):
        said, _, last = one.strip().rpartition(" ")
        if last.replace(".", "").isdigit():
            found.append(Need(said, float(last)))
        else:
            found.append(Need(one.strip(), 1.0))
    return tuple(found)


def by_trigger(table: str) -> dict[str, tuple[Need, ...]]:
    """The steps of a table by the words that call for them, as `spoken` and `joined` give them."""
    found: dict[str, tuple[Need, ...]] = {}
    for entry in table.replace("\n ", " ").strip().splitlines():
        triggers, arrow, steps = " ".join(entry.split()).partition(" => ")
        if arrow:
            needs = _needs(steps)
            for trigger in triggers.split(", "):
                found[trigger] = (*found[trigger], *needs) if trigger in found else needs
    return found


def _by_ending() -> dict[str, FileKind]:
    found: dict[str, FileKind] = {}
    for line in _FILE_KINDS.replace("\n ", " ").strip().splitlines():
        endings, writing, reading, *editing = line.split("=>")
        both = f"{reading};{writing}"
        kind = FileKind(_needs(writing), _needs(reading), _needs(editing[0] if editing else both))
        found.update(dict.fromkeys(endings.split(), kind))
    return found


ALIKE = _alike()
"""Stems that mean nearly the same."""
NEEDS = by_trigger(TABLE + "\n" + DAILY)
"""What a task needs by the words, or pairs of words, that call for it."""
FILE_KINDS = _by_ending()
"""By the ending of a file's name."""
RUNNING = _needs("start process command ; read process output 0.8")
"""What running a file needs."""
PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "tiff"})
ADDING_PICTURE = Need("add picture document", 1.0)
"""What a picture needs that is to stand in something else."""
