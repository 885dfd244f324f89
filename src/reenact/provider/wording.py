"""Putting an answer into words: an opening, arguments, a closing, about what the user spoke of."""

from collections.abc import Sequence

from reenact.domain.message import ToolResult
from reenact.provider.choosing import Chooser
from reenact.provider.manner import Manner
from reenact.provider.phrasing import is_little, is_wish, topics
from reenact.provider.sentences import BOOKS, Book

_LONGEST_RESULT_LETTERS = 240


def word_speech(manner: Manner, user: str, chooser: Chooser) -> str:
    """Return an answer to *user* in *manner*."""
    if manner.exactly is not None:
        return manner.exactly
    book = BOOKS[manner.language]
    return _shortened(_fill(_outline(manner, book, chooser, is_wish(user)), topics(user), book), manner)


def word_result(manner: Manner, user: str, results: Sequence[tuple[str, ToolResult]], chooser: Chooser) -> str:
    """Return an answer that tells what tools gave back; *results* go with their tools' names."""
    book = BOOKS[manner.language]
    told = [
        chooser.pick(book.results).replace("{tool}", name).replace("{result}", _excerpt(result.text))
        for name, result in results
    ]
    closing = _fill([chooser.pick(book.arguments)], topics(user), book)
    return _shortened([*told, *closing], manner)


def _outline(manner: Manner, book: Book, chooser: Chooser, wishes: bool) -> list[str]:
    """Return the sentences with their gaps: experts say more and say it harder, concise ones keep to the point."""
    expert = manner.is_expert or manner.is_persuasive
    argument_count = (1 if manner.is_concise else 2) + (1 if expert else 0)
    if manner.sentences is not None:
        argument_count = max(0, manner.sentences - 2)
    replies = book.reply_openings if wishes else ()
    openings = book.expert_openings if manner.is_expert else replies or book.openings
    arguments = book.expert_arguments if expert else book.arguments
    closing = chooser.pick(book.expert_closings if expert else book.closings)
    chosen = [chooser.pick(openings), *chooser.several(arguments, argument_count)]
    return chosen if manner.is_concise and not expert else [*chosen, closing]


def _fill(sentences: Sequence[str], subjects: Sequence[str], book: Book) -> list[str]:
    """Return the sentences with topics in their gaps; each sentence starts at another topic."""
    known = [*subjects, *book.subjects[len(subjects) :]]
    filled = []
    for at, sentence in enumerate(sentences):
        a, b, c = (known[(at + step) % len(known)] for step in range(3))
        words = sentence.replace("{a}", a).replace("{b}", b).replace("{c}", c)
        filled.append(words[:1].upper() + words[1:])
    return filled


def _excerpt(text: str) -> str:
    """Return a tool's result on one line, its beginning when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_RESULT_LETTERS else line[:_LONGEST_RESULT_LETTERS].rsplit(" ", 1)[0] + " ..."


def _shortened(sentences: Sequence[str], manner: Manner) -> str:
    """Return the sentences as one text, no longer than asked for."""
    text = " ".join(sentences[: manner.sentences])
    words = text.split()
    if manner.words is None or len(words) <= manner.words:
        return text
    kept = words[: manner.words]
    while len(kept) > 1 and is_little(kept[-1]):
        kept.pop()
    return " ".join(kept).rstrip(",;:.!?") + "."
