"""The simple commands of a shell script, as far as a look for dangerous ones needs them.

No shell: nothing is expanded, and what is quoted, commented out or in a here-document is no
command. Linear in the length of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_OPENING = frozenset({"if", "for", "while", "until", "case", "select", "function", "{"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_BETWEEN = frozenset({"then", "do", "else", "elif", "!", "time"})
_RESERVED = _OPENING | _CLOSING | _BETWEEN
_WITH_COMMAND = frozenset({"sudo", "exec", "command", "env", "nohup", "setsid", "nice", "ionice"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_HERE = re.compile(r"<<(-?)[ \t]*(['\"]?)\\?([A-Za-z0-9_.!-]+)\2")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = re.compile(r"[^\s;&|()`<>'\"\\$]++")
_SHELLS = frozenset({"sh", "bash", "dash", "/bin/sh", "/bin/bash", "/usr/bin/bash"})
_DEPTH = 5  # of a shell in a shell
_GROUPS = 50  # open at once; nobody nests deeper, and the look stays linear


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command."""

    line: int  # from 1
    words: tuple[str, ...]  # without quotes; a redirection is two words, > or >> and its target
    conditional: bool  # not run for certain: in a branch, a loop or a function, or after && or ||
    background: bool


def commands(text: str, *, depth: int = 0) -> Iterator[Command]:
    """The commands in their order, those that `sh -c` is given included."""
    for command in _Lexer(text).run():
        yield command
        words = command.words
        if depth < _DEPTH and len(words) > 2 and words[0] in _SHELLS:  # noqa: PLR2004 - sh -c text
            flags = [index for index, word in enumerate(words) if re.fullmatch("-[a-z]*c", word)]
            if flags and flags[0] + 1 < len(words):
                for inner in commands(words[flags[0] + 1], depth=depth + 1):
                    yield Command(
                        command.line,
                        inner.words,
                        inner.conditional or command.conditional,
                        inner.background or command.background,
                    )


def bare(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without what only runs the command: reserved words, assignments, sudo and such."""
    rest = list(words)
    while rest:
        first = rest[0]
        if first in _RESERVED or _ASSIGNMENT.match(first):
            del rest[0]
        elif first in _WITH_COMMAND:
            del rest[0]
            while rest and rest[0].startswith("-"):
                # The user of `sudo -u`, the step of `nice -n`.
                del rest[: 2 if rest[0] in {"-u", "-g", "-n"} else 1]
        elif first == "timeout":
            del rest[0]
            while rest and rest[0].startswith("-"):
                del rest[: 2 if rest[0] in {"-k", "-s"} else 1]
            del rest[:1]
        else:
            break
    return tuple(rest)


@dataclass(frozen=True, slots=True)
class _Group:
    """What stands between brackets, or between a reserved word and the one that closes it."""

    closes: str
    first: int  # which command is its first
    outer: list[str]  # the words before it of a command that $(…) is a part of


@dataclass
class _Lexer:
    """One pass over a text."""

    text: str
    at: int = 0
    line: int = 1
    started: int = 1  # the line of the command's first word
    before: str = ""  # what joins the command to the one before it
    word: str | None = None
    words: list[str] = field(default_factory=list)
    heres: list[tuple[bool, str]] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    closed: int | None = None  # the first command of the group that has just been closed
    made: list[Command] = field(default_factory=list)

    def run(self) -> list[Command]:
        while self.at < len(self.text):
            self._step()
        self._end("")
        return self.made

    def _step(self) -> None:
        char = self.text[self.at]
        if char == "\n":
            self._end("\n")
            self._advance(1)
            self._skip_heres()
        elif char in " \t":
            self._close()
            self._advance(1)
        elif char == "#" and self.word is None:
            self._advance_to("\n")
        elif self.text.startswith("()", self.at):  # a function's name stands before it
            self.word = None
            self.words.clear()
            self._advance(2)
        elif char in ";&|()`" or self.text.startswith("$(", self.at):
            self._separate()
        elif char in "<>":
            self._redirect()
        else:
            self._take(char)

    def _take(self, char: str) -> None:
        """One piece of a word: a quoted text, an escaped character, or plain ones."""
        if char == "\\":
            following = self.text[self.at + 1 : self.at + 2]
            if following != "\n":
                self._add(following)
            self._advance(2)
        elif char == "'":
            end = self.text.find("'", self.at + 1)
            end = len(self.text) if end < 0 else end
            self._add(self.text[self.at + 1 : end])
            self._advance(end + 1 - self.at)
        elif char == '"':
            found = _QUOTED.match(self.text, self.at)
            inner = found[1] if found else self.text[self.at + 1 :]
            self._add(_ESCAPED.sub(r"\1", inner))
            self._advance(len(found[0]) if found else len(self.text) - self.at)
        else:
            found = _PLAIN.match(self.text, self.at)
            piece = found[0] if found else char
            self._add(piece)
            self._advance(len(piece))

    def _separate(self) -> None:
        operator = self.text[self.at : self.at + 2]
        if operator not in {"&&", "||", ";;", "$("}:
            operator = operator[0]
        if operator == "&" and (
            self.text[self.at - 1] == ">" or self.text[self.at + 1 :][:1] == ">"
        ):
            self._advance(1)  # of >& and &>
            return
        if operator == "$(" or (operator == "`" and not self._inside("`")):
            self._close()
            outer, self.words = self.words, []
            self._enter(")" if operator == "$(" else "`", outer)
        else:
            self._end(operator)
            if operator == "(":
                self._enter(")")
            elif operator in {")", "`"}:
                self._leave(operator)
        self._advance(len(operator))

    def _inside(self, closes: str) -> bool:
        return any(group.closes == closes for group in self.groups)

    def _enter(self, closes: str, outer: list[str] | None = None) -> None:
        if len(self.groups) < _GROUPS:
            self.groups.append(_Group(closes, len(self.made), outer or []))

    def _leave(self, closes: str) -> None:
        """The innermost group of that sort is complete, and what was left open in it."""
        while self._inside(closes):
            group = self.groups.pop()
            if group.closes == closes:
                self.closed = group.first
                self.words = group.outer
                if self.words:
                    self.words.append("")  # what the command put in
                return

    def _redirect(self) -> None:
        found = None if self.text.startswith("<<<", self.at) else _HERE.match(self.text, self.at)
        if found:
            self._close()
            self.heres.append((bool(found[1]), found[3]))
            self._advance(len(found[0]))
            return
        if self.word is not None and self.word.isdigit():
            self.word = None  # the number of a descriptor
        self._close()
        length = 1
        while self.text[self.at + length : self.at + length + 1] in {"<", ">", "|"}:
            length += 1
        self._add(self.text[self.at : self.at + length])
        self._close()
        self._advance(length)

    def _skip_heres(self) -> None:
        for indented, ending in self.heres:
            while self.at < len(self.text):
                start = self.at
                self._advance_to("\n")
                found = self.text[start : self.at]
                self._advance(1)
                if (found.lstrip("\t") if indented else found) == ending:
                    break
        self.heres.clear()

    def _end(self, operator: str) -> None:
        """The command is complete; `operator` is what follows it."""
        self._close()
        words, self.words = tuple(self.words), []
        for word in _leading(words):
            if word in _CLOSING:
                self._leave("fi")
            elif word in _OPENING:
                self._enter("fi")
        plain = bare(words)
        if operator == "&" and self.closed is not None and not plain:
            self.made[self.closed :] = [
                each if each.background else replace(each, background=True)
                for each in self.made[self.closed :]
            ]
            self.closed = None  # no shell takes a second &, which would cost as much again
        if words:
            self.closed = self.closed if not plain else None
        if plain:
            conditional = bool(self.groups) or self.before in {"&&", "||"}
            self.made.append(Command(self.started, plain, conditional, operator == "&"))
        if words or operator != "\n":
            self.before = operator

    def _close(self) -> None:
        if self.word is not None:
            self.words.append(self.word)
            self.word = None

    def _add(self, piece: str) -> None:
        if self.word is None:
            if not self.words:
                self.started = self.line
            self.word = ""
        self.word += piece

    def _advance(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def _advance_to(self, text: str) -> None:
        """To the next such text, or to the end."""
        end = self.text.find(text, self.at)
        self._advance((len(self.text) if end < 0 else end) - self.at)


def _leading(words: tuple[str, ...]) -> list[str]:
    """The reserved words at the beginning."""
    found = []
    for word in words:
        if word not in _RESERVED:
            break
        found.append(word)
    return found
