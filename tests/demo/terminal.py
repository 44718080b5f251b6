"""What a program writes to a terminal, as rows of text that remember when they appeared.

Only what a shell and line-oriented programs send is understood: printable characters, CR, LF, backspace and colours (SGR). Anything else is
an error, so that a recording never shows something that a terminal would not have shown.
"""
import re

COLOURS = {32: "green", 90: "grey"}
CONTROL = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Cell:
    def __init__(self, text, time, style):
        self.text, self.time, self.style = text, time, style


class Terminal:
    """Rows of a scrolling terminal that is `columns` wide. Nothing is ever removed from the top: the picture scrolls instead."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [[]]
        self.column = 0
        self.style = ""

    def feed(self, text, time, typed=False):
        """Takes decoded output that came at `time` (seconds). `typed` marks what the terminal echoes of the keys that were pressed."""
        position = 0
        while position < len(text):
            character = text[position]
            if character == "\x1b":
                match = CONTROL.match(text, position)
                if not match or match[2] != "m":
                    raise ValueError(f"the recorder does not know the escape sequence {text[position:position + 12]!r}")
                self._colour(match[1])
                position = match.end()
                continue
            position += 1
            if character == "\n":
                self.rows.append([])
            elif character == "\r":
                self.column = 0
            elif character == "\b":
                self.column = max(0, self.column - 1)
            elif character == "\t":
                self._put(" " * (8 - self.column % 8), time, typed)
            elif character.isprintable():
                self._put(character, time, typed)
            else:
                raise ValueError(f"the recorder does not know the control character {character!r}")

    def _colour(self, codes):
        for code in codes.split(";"):
            self.style = COLOURS.get(int(code or 0), "")

    def _put(self, text, time, typed):
        for character in text:
            if self.column == self.columns:
                self.rows.append([])
                self.column = 0
            row = self.rows[-1]
            cell = Cell(character, time, "typed" if typed else self.style)
            if self.column < len(row):
                row[self.column] = cell
            else:
                row.append(cell)
            self.column += 1
