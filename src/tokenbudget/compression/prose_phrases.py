"""Phrases and their shorter ways to say the same; the tables behind the telegraphic rules.

An entry is `long = short`, with ` ;` between those of one line; nothing after the equals sign drops
the phrase. Whether a short form is used is decided by the vocabulary at hand: where it does not
cost fewer tokens it is left alone.
"""

from __future__ import annotations

import re

_PHRASES = """
so as to = to
in order for = for
in order that = so
due to the fact that = because
owing to the fact that = because
in light of the fact that = because
given the fact that = because
on account of = because of
the reason is that = because
for the reason that = because
in spite of the fact that = although
despite the fact that = although
in the event that = if
in the event of = if
provided that = if
on condition that = if
as soon as = once
until such time as = until
prior to = before
subsequent to = after
at all times = always
at this point in time = now
at the present time = now
at the moment = now
at the same time = simultaneously
at the time of = at
in the near future = soon
in the course of = during
over the course of = during
for the purpose of = for
for the purposes of = for
with the purpose of = for
with the goal of = for
with the exception of = except
with the help of = with
with the use of = with
through the use of = with
by means of = by
by way of = by
by using = with
through using = with
with regard to = on
with regards to = on
with respect to = on
in regard to = on
in relation to = on
in connection with = on
when it comes to = for
in terms of = in
in accordance with = per
in compliance with = per
in line with = per
according to = per
in addition to = besides
as well as = plus
along with = with
together with = with
a large number of = many ; a wide range of = many ; a wide variety of = many
a wide array of = many ; a variety of = several ; lots of = many ; plenty of = many
the majority of = most ; a majority of = most ; the vast majority of = most
all of the = all
each of the = each
both of the = both
some of the = some
any of the = any
most of the = most
many of the = many
each and every = every
first and foremost = first
whether or not = whether
is able to = can
are able to = can
has the ability to = can
have the ability to = can
it is possible to = can
it is necessary to = must
has been designed to = serves to
is designed to = serves to
are designed to = serve to
is intended to = serves to
are intended to = serve to
is responsible for = handles
are responsible for = handle
is in charge of = handles
make use of = use
makes use of = uses
making use of = using
made use of = used
take advantage of = use
takes advantage of = uses
take into account = consider
takes into account = considers
taking into account = considering
take into consideration = consider
take care of = handle
takes care of = handles
give rise to = cause
make sure that = ensure
makes sure that = ensures
making sure that = ensuring
make sure to =
make sure = ensure
be sure to =
be sure that = ensure
make certain that = ensure
ensure that = ensure
ensures that = ensures
ensuring that = ensuring
verify that = verify
check that = check
confirm that = confirm
so that = so
given that = given
note that =
please note that =
please note =
it should be noted that =
it is worth noting that =
it's worth noting that =
it is important to note that =
it's important to note that =
keep in mind that =
bear in mind that =
remember that =
be aware that =
as mentioned above =
as noted above =
as described above =
as you can see =
of course =
needless to say =
as a matter of fact =
for all intents and purposes =
at the end of the day =
on a regular basis = regularly
on a daily basis = daily
on a weekly basis = weekly
on an ongoing basis = continuously
on the other hand = but
in contrast to = unlike
as a result of = from
as a result = so
as a consequence = so
for this reason = so
because of this = so
in the case of = for
in cases where = where
in situations where = where
such as = like
including but not limited to = including
and so on = etc.
and so forth = etc.
the fact that = that
the way in which = how
the way that = how
the manner in which = how
the ability to = ability to
is used to = serves to
are used to = serve to
is used for = is for
are used for = are for
can be used to = can
can be found in = is in
can be found at = is at
is located in = is in
is located at = is at
are located in = are in
are located at = are at
is stored in = is in
are stored in = are in
is defined in = is in
is found in = is in
leads to = causes
lead to = cause
allows you to = lets you
allow you to = let you
allows users to = lets users
enables you to = lets you
enable you to = let you
helps you to = helps
it is recommended to = prefer to
it is recommended that you = prefer to
it is strongly recommended to = strongly prefer to
we recommend that you = prefer to
feel free to = may
you may want to = consider
you might want to = consider
don't hesitate to =
working with code in this repository = working here
working with code in this repo = working here
working with code in this project = working here
in this repository = here
in this repo = here
in this codebase = here
in this project = here
in this directory = here
in this folder = here
of this repository =
root of this repository = repo root
root of the repository = repo root
root of this repo = repo root
root of the repo = repo root
within this project = here
inside of = inside
outside of = outside
off of = off
upon completion of = after
pertaining to = on
relating to = on
a single = one
on behalf of = for
in conjunction with = with
in combination with = with
in collaboration with = with
in between = between
carry out = do
carries out = does
get rid of = remove
deal with = handle
deals with = handles
keep track of = track
keeps track of = tracks
up to date = current
up-to-date = current
provides guidance to = guides
provides guidance for = guides
provide guidance to = guide
provides an overview of = outlines
contains information about = explains
provides information about = explains
gives an overview of = outlines
as part of = in ; for use in = for ; for use with = for ; in such a way that = so
in a way that = so ; in a manner that = so ; take a look at = see ; have a look at = see
for more information = for more ; for more details = for more ; for further information = for more
for further details = for more ; for additional information = for more
for detailed information = for details ; make changes to = change ; makes changes to = changes
making changes to = changing ; provide support for = support ; provides support for = supports
providing support for = supporting ; built on top of = built on ; is composed of = comprises
are composed of = comprise ; is comprised of = comprises ; is made up of = comprises
consists of = comprises ; is present in = is in ; are present in = are in
is contained in = is in ; are contained in = are in ; in the form of = as
in the same way as = like ; similar to = like ; in some cases = sometimes
in most cases = usually ; in many cases = often ; in particular = notably ; at this time = now
right now = now ; up until = until ; as described in = per ; as defined in = per
as specified in = per ; as documented in = per ; as outlined in = per ; based upon = based on
the use of = using ; is going to = will ; are going to = will ; would like to = want to
look for = seek ; looks for = seeks ; looking for = seeking ; take care to = ; remember to =
it is best to = prefer to ; it's best to = prefer to ; turns out to be = is
appears to be = seems ; seems to be = seems ; appear to be = seem ; seem to be = seem
serves as = is ; serve as = are ; that you want to = to ; that need to be = to be
that needs to be = to be ; that allows you to = to ; that lets you = to
that is responsible for = for ; that are responsible for = for ; corresponding to = for
dealing with = handling ; as compared to = vs ; compared to = vs ; compared with = vs
in comparison to = vs ; apart from = besides ; aside from = besides ; in spite of = despite
even though = though ; as such, = so ; that being said, = but ; and then = then ; and also = and
their respective = their ; utilize = use ; utilizes = uses ; utilizing = using
so as not to = not to ; with the intent of = for ; with the intention of = for
with the aim of = for ; in an attempt to = to ; in an effort to = to ; have an impact on = affect
has an impact on = affects ; have an effect on = affect ; has an effect on = affects
is dependent on = depends on ; are dependent on = depend on ; provides access to = exposes
by virtue of = by ; in excess of = over ; sub-agents = subagents ; sub-agent = subagent
read-only = readonly ; non-trivial = nontrivial ; non-empty = nonempty
pre-configured = preconfigured ; re-run = rerun ; re-runs = reruns ; re-running = rerunning
re-apply = reapply ; re-applies = reapplies ; re-export = reexport ; re-implement = reimplement
"""

_FILLERS = """
very basically obviously please kindly truly certainly definitely
additionally furthermore moreover
"""
"""Words that are dropped: emphasis, courtesy and connection, no condition and no measure."""


def _table(lines: str) -> dict[str, str]:
    entries = lines.strip().replace(" ;", "\n").splitlines()
    pairs = (one.partition("=") for one in entries)
    return {phrase.strip(): short.strip() for phrase, _, short in pairs}


PHRASES: dict[str, str] = _table(_PHRASES)
FILLERS: tuple[str, ...] = tuple(_FILLERS.split())


def pattern_of(phrases: list[str]) -> re.Pattern[str]:
    """Any of the phrases as whole words, the longest first."""
    words = "|".join(re.escape(one) for one in sorted(phrases, key=len, reverse=True))
    return re.compile(rf"(?<![\w'\u2019-])(?:{words})(?![\w'\u2019-])", re.IGNORECASE)
