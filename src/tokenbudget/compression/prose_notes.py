"""Steps of the level `compressed` that write sentences as notes: subject, state, no joints.

Each was written after sentences had been shortened by hand: these are the classes of changes that
recur there and that a rule can tell from their look-alikes.
"""

from __future__ import annotations

from tokenbudget.compression.prose_grammar import (
    AMBIGUOUS,
    PERSON,
    PLAIN,
    START,
    STATE,
    Step,
    replaced,
)
from tokenbudget.compression.prose_spans import NAMED, SPAN
from tokenbudget.compression.prose_verbs import PROGRESSIVE, QUALITIES, SINGULAR_VERBS

_ADVERB = r"(?:(?:not|only|always|never|still|now|already|[a-z]+ly) )?"
_NO_VERB = rf"(?:{SPAN}|[a-z]+ed\b|in\b|on\b|at\b|by\b|from\b|for\b|with\b|not\b|never\b)"
_UNJOINED = rf"(?![^.;:]{{0,90}} (?:and|but) (?!{_NO_VERB}))"
"""What `and` joins to the predicate would lose its subject, unless it is no verb."""

_NOUN = r"(?!(?:under|over|into|onto|via|through|using|between|across|than|about|any|all) )" + PLAIN
_QUALITY = (
    rf"(?:{'|'.join(sorted(QUALITIES))})(?=[.,;:)]|$| (?:for|in|on|at|by|via|only|after|to)\b)"
)
_SUBJECT = rf"(?:{_NOUN} ){{0,5}}{_NOUN}(?: \([^()]{{1,60}}\))?"
_OPENS = (
    rf"(?:{START}|(?<=[\w)]), |\b(?:if|when|whenever|unless|until|because|once|while|whether|but|"
    r"so|since|after|before|where|ensure|verify|confirm) )"
)
_states = replaced(
    rf"({_OPENS})({_SUBJECT}){PERSON} (?:is|are|was|were|has been|have been) (?:being |been )?"
    rf"(?={_ADVERB}{AMBIGUOUS}(?:{STATE}|{_QUALITY})){_UNJOINED}",
    r"\1\2 ",
)
_places = replaced(
    rf"({START}|(?<=[\w)]), )({_SUBJECT}) (?:lives?|resides?|sits?) "
    rf"(?=(?:only |also )?(?:in|under|at|inside|within)\b){_UNJOINED}",
    r"\1\2 ",
)
_relative = replaced(
    rf"(?<=[a-z){SPAN[1:-1]}]) that ({'|'.join(sorted(SINGULAR_VERBS))})(?= )"
    rf"(?![^.;:]{{0,80}} (?:and|or) (?!{_NO_VERB}))",
    lambda found: f" {PROGRESSIVE[found[1].lower()]}",
)
_this_repo = replaced(r"(?<=[a-z] )this (?=(?:repo|repository|project|codebase|monorepo)\b)", "")
_VERB = "|".join(sorted(PROGRESSIVE))
_you_must = replaced(
    rf"{START}you (?=(?:must|should|{NAMED}) {_ADVERB}(?:{_VERB})\b)",
    "",
)

NOTES: tuple[Step, ...] = (
    Step("relative clauses of more verbs", _relative, False),
    Step("copulas in clauses", _states, False),
    Step("lives in", _places, False),
    Step("this repo", _this_repo, False),
    Step("you must", _you_must, False),
)
