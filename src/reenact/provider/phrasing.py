"""Finding what a text is about: its runs of telling words, its names and its numbers."""

import re

_LITTLE_WORDS = """
a about above across actually affect affects after again against agree all almost also although always am an and
another any are argue argument as ask at be because been before being believe believes best better between both but
by call can cannot combating come could did do does doing done dont down during each else ensure even ever every
explain fact few find first focus for from further generally get give given go going good got had has have having he
hello help hence her here hers hi hinder hinders him his how however i if im in influence influenced instead into is
isnt it its itself just keep know largely least less let like likely look made make makes making many may maybe me
might mine more most much must my name need never no none nor not note now of off often on once one only or
other our out over own per perhaps please point possible present provide quite rather really reason say says see
seem should show significantly simply since so some still such sure take tell than thank thanks that the their them
then there therefore these they thing things think this those though through thus to today together too topic toward
towards turn under until up upon us use used using very want wants was way we well were what when where whether
which while who whom whose why will with within without would write yes yet you your yours youre
"""
_LITTLE = frozenset(_LITTLE_WORDS.split())
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*|[^\w\s'\u2019-]+|\d[\w.,-]*")
_QUOTED = re.compile(r"[\"“']([^\"“”']{2,80})[\"”']")
_CODE = re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9][A-Za-z0-9_-]{2,}\b")
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'\u2019-]+(?:\s+[A-Z][\w'\u2019-]+)*")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
_WISH = re.compile(
    r"\?\s*$|^\W*(?:please|write|explain|tell|give|list|describe|summari[sz]e|find|show|help)\b", re.IGNORECASE
)
_LONGEST_PHRASE_WORDS = 3


def topics(text: str) -> list[str]:
    """Return what *text* is about: runs of up to three telling words in their order, each once."""
    runs: list[list[str]] = [[]]
    starts_sentence = True
    for word in _WORD.findall(text):
        if word[0].isalpha() and not is_little(word):
            runs[-1].append(_lowered(word) if starts_sentence else word)
        elif runs[-1]:
            runs.append([])
        starts_sentence = word[-1] in ".!?\n:"
    phrases = [" ".join(run[-_LONGEST_PHRASE_WORDS:]) for run in runs if run]
    return list(dict.fromkeys(phrase for phrase in phrases if len(phrase) > 2))


def is_little(word: str) -> bool:
    """Return whether *word* tells nothing by itself."""
    bare = word.lower().strip(",;:.!?").replace("\u2019", "'")
    return bare.replace("'", "") in _LITTLE or bare.removesuffix("'s") in _LITTLE


def is_wish(text: str) -> bool:
    """Return whether *text* asks a question or for something to be done."""
    return _WISH.search(text) is not None


def telling_words(text: str) -> set[str]:
    """Return the words of *text* that tell something, in lower case and without a plural's s."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))
    return {word.lower().rstrip("s") for word in words if word.lower() not in _LITTLE and len(word) > 2}


def names(text: str) -> list[str]:
    """Return what could be a value in *text*: quoted words, codes such as `ZX81`, and names, in that order, each once."""
    found = [*_QUOTED.findall(text), *_CODE.findall(text), *_NAME.findall(text)]
    return list(dict.fromkeys(name for name in found if name.lower() not in _LITTLE))


def numbers(text: str) -> list[float]:
    """Return the numbers that stand in *text*."""
    return [float(number) for number in _NUMBER.findall(text)]


def _lowered(word: str) -> str:
    """Return *word* without the capital that a sentence's start gives it; abbreviations keep theirs."""
    return word if word[1:] != word[1:].lower() else word.lower()
