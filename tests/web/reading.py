"""Reads pages as a person does: the words, the links, what is marked."""

from html.parser import HTMLParser

INLINE = {"a", "b", "code", "ins", "del", "span", "strong", "time", "mark", "kbd"}
VOID = {"meta", "link", "input", "br", "path", "rect", "img", "hr"}


class Read(HTMLParser):
    """What a page holds: `words`, `links` by their text, all `tags` with their attributes, and ill-nested tags."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.links: dict[str, str] = {}
        self.faults: list[str] = []
        self.marked: dict[str, list[str]] = {"ins": [], "del": []}
        self._words: list[str] = []
        self._open: list[str] = []
        self._href: str | None = None
        self._link: list[str] = []
        self.feed(content)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    @property
    def words(self) -> str:
        """All text, white space joined."""
        return " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self._part(tag)
        if tag in {"path", "rect"}:
            return
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self._href, self._link = given.get("href"), []
        if tag in self.marked:
            self.marked[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a tag."""
        self._part(tag)
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")
        if tag == "a" and self._href is not None:
            self.links[" ".join("".join(self._link).split())] = self._href
            self._href = None

    def _part(self, tag: str) -> None:
        """Set words apart that stand in different blocks."""
        if tag not in INLINE:
            self._words.append(" ")

    def handle_data(self, data: str) -> None:
        """Note text."""
        self._words.append(data)
        if self._href is not None:
            self._link.append(data)
        for tag in self.marked:
            if tag in self._open:
                self.marked[tag][-1] += data
