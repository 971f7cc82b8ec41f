"""Forms of verbs that the telegraphic rules need, and adjectives that stand after a copula."""

from __future__ import annotations

_VERBS = """
accept access act add affect aim allow apply appear ask assert assume avoid become begin belong
block break bring build bundle cache call carry cause change check choose clean close collect
combine come commit compare compile complete configure connect consume contain continue control
convert copy cover create debug declare decide define delegate delete deliver depend deploy
describe design detect determine develop differ disable discover display do document download
drive duplicate edit emit enable encounter enforce ensure enter evaluate exceed execute exist exit
expect explain expose extend extract fail fall fetch fill find finish fit fix focus follow force
format generate get give go govern group guide handle happen have help hide highlight hold host
identify implement import improve include increase indicate inform inherit initialize inject
insert inspect install integrate interact introduce investigate invoke involve join keep launch
lead leave let limit list live load log look lose maintain make manage map mark match matter mean
measure merge modify monitor move need notice occur offer open operate optimize outline output
override own parse pass perform persist pick place plan play point poll populate prefer prepare
present preserve prevent print process produce promote propose protect prove provide publish pull
push put raise reach read receive record reduce refactor refer reference reflect register reject
relate release rely remain remove rename render replace report represent request require reset
resolve respond restart restore restrict result return reuse review rewrite run save scan search
see select send separate serve set share ship show simplify skip sort spawn specify split stand
start state stay stop store stream suggest support switch sync take target tell test touch track
transform translate treat trigger try turn type understand update upgrade use validate verify view
visit wait want warn watch work wrap write
"""

_DOUBLES = """
begin commit cut drop fit get let log map plan put refer reset run set ship skip spin split stop
strip submit swap wrap
"""
_DOUBLED = frozenset(_DOUBLES.split())
_IRREGULAR = {"debug": "debugging"}


def _third(verb: str) -> str:
    if verb in ("have", "do", "go"):
        return {"have": "has", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def _progressive(verb: str) -> str:
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + "ing"


PROGRESSIVE: dict[str, str] = {
    form: _progressive(verb) for verb in _VERBS.split() for form in (verb, _third(verb))
}
"""`use` and `uses` to `using`."""

THIRD: frozenset[str] = frozenset(_third(verb) for verb in _VERBS.split())

_CLEAR = """
contain require provide include use depend define describe exist implement allow affect apply accept
create generate produce remain execute modify belong add explain follow exceed fail handle represent
introduce involve combine consume connect convert determine enable disable enforce extend extract
implement improve inherit install integrate invoke keep maintain manage operate perform persist
prevent receive reduce rely resolve run satisfy serve specify verify validate wrap
"""
CLEAR: frozenset[str] = frozenset(
    form for verb in _CLEAR.split() for form in (verb, _third(verb)) if form in PROGRESSIVE
) - {"runs", "uses"}
"""Forms that are a verb after `that` and not the plural of a noun: `that tests pass` is no test."""

_SINGULAR = """
appears asks asserts assumes avoids becomes begins brings carries chooses collects comes compares
compiles configures continues covers decides declares delegates deletes delivers deploys detects
develops differs discovers emits encounters ensures enters evaluates expects exposes fetches fills
finds fits governs happens hides identifies imports indicates informs initializes injects inserts
inspects interacts investigates joins lets loads loses makes means needs occurs opens optimizes owns
parses populates prefers prepares preserves produces promotes protects proves raises reaches reads
refers reflects registers rejects relates removes renders replaces responds restores restricts
returns reuses saves selects sends skips spawns stays stores suggests supports takes tells touches
transforms translates treats tries understands wants writes
"""
SINGULAR_VERBS: frozenset[str] = frozenset(_SINGULAR.split())
"""Verbs in their third person that are hardly the plural of a noun."""

_STATES = """
available required optional necessary responsible important critical essential mandatory ready
able unable likely safe unsafe correct incorrect valid invalid empty missing present absent active
inactive enabled disabled visible possible impossible acceptable compatible incompatible
consistent identical equal similar different separate independent free subject specific relevant
irrelevant useful helpful unique common clean stale deprecated experimental stable unstable
complete incomplete sufficient insufficient appropriate preferred recommended allowed forbidden
prohibited supported unsupported case-sensitive read-only up-to-date current green pure private
public local global static dynamic built
set run kept made done given taken written read shown known seen found held sent put broken chosen
driven drawn hidden left lost meant met overwritten rewritten thrown understood bound split cut
hit let spread shut stuck
"""
STATES = frozenset(_STATES.split())
"""Adjectives, participles and places after which a copula says nothing more."""

_QUALITIES = """
asynchronous authoritative automatic best-effort better broken canonical curated cwd-relative
default-off deliberate destructive deterministic development-only ephemeral exempt explicit external
fail-closed frozen idempotent immutable inert infeasible intentional internal known legal
lightweight lossless lossy manual mutable observability-only opt-in opt-out pending persistent
reachable synchronous transient trusted unaffected unavailable unchanged unclear unknown unreachable
unset untrusted unused useful wrong
"""
QUALITIES = frozenset(_QUALITIES.split())
"""Adjectives that end a sentence as well: `doc wrong`; after a noun they would be hard to read."""
