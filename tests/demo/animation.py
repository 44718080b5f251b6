"""Rows of a terminal as an SVG that plays by CSS alone: no script, so that it also moves as an image of a web page."""
from html import escape

CELL, LINE = 8.4, 18            # pixels: width of a character at 14 px, distance of lines
PAD, BAR = 14, 30               # pixels: around the text, and the title bar
HOLD = 5                        # seconds that the last picture stays before it begins anew
STYLE = """
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#c9d1d9;white-space:pre}
.typed{fill:#fff;font-weight:600}.green{fill:#7ee787}.grey,.title{fill:#8b949e}
"""
STILL = "@media(prefers-reduced-motion:reduce){*{animation:none!important}}"


def runs(row):
    """Neighbours that look alike and came together: [(column, text, time, style)]."""
    result = []
    for column, cell in enumerate(row):
        last = result[-1] if result else None
        if last and (last[2], last[3]) == (cell.time, cell.style):
            last[1] += cell.text
        else:
            result.append([column, cell.text, cell.time, cell.style])
    return [run for run in result if run[1].strip()]


class Animation:
    """One picture that shows `rows` of `columns` characters, `height` rows at a time."""

    def __init__(self, rows, columns, height, title):
        while rows and not rows[-1]:
            rows = rows[:-1]
        self.rows, self.columns, self.height, self.title = rows, columns, height, title
        times = [cell.time for row in rows for cell in row]
        self.total = (max(times) if times else 0) + HOLD
        self.names = {}

    def _at(self, time):
        return f"{100 * time / self.total:.2f}%"

    def _name(self, time):
        return self.names.setdefault(time, f"t{len(self.names)}")

    def _scroll(self):
        """When a row comes into use below the bottom, everything moves up by a line."""
        frames, moved = ["0%{transform:none}"], 0
        for index, row in enumerate(self.rows):
            if row and index >= self.height + moved:
                moved = index - self.height + 1
                frames.append(f"{self._at(min(cell.time for cell in row))}{{transform:translateY({-moved * LINE}px)}}")
        return moved, "@keyframes scroll{" + "".join(frames) + "}"

    def render(self):
        """The SVG. Without animation (a printer, a reader who wants no motion) it is the last picture."""
        body = []
        for index, row in enumerate(self.rows):
            for column, text, time, style in runs(row):
                size = f' textLength="{len(text) * CELL:.1f}"' if len(text) > 1 else ""
                name = f"{self._name(time)} {style}".strip()
                place = f'x="{PAD + column * CELL:.1f}" y="{BAR + PAD + index * LINE + 9}"'
                body.append(f'<text class="{name}" {place}{size}>{escape(text)}</text>')
        moved, scroll = self._scroll()
        shown = "".join(
            f"@keyframes {name}{{0%{{opacity:0}}{self._at(time)}{{opacity:1}}}}"
            f".{name}{{animation:{name} {self.total:.2f}s step-end infinite}}"
            for time, name in self.names.items())
        width, height = round(self.columns * CELL + 2 * PAD), BAR + 2 * PAD + self.height * LINE
        move = f".scroll{{transform:translateY({-moved * LINE}px);animation:scroll {self.total:.2f}s step-end infinite}}"
        dots = "".join(f'<circle cx="{PAD + 6 + 18 * i}" cy="{BAR / 2}" r="5" fill="#484f58"/>' for i in range(3))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(self.title)}">\n<title>{escape(self.title)}</title>\n<style>{STYLE}{shown}{scroll}{move}{STILL}</style>\n'
            f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117" stroke="#30363d"/>{dots}\n'
            f'<text class="title" x="{width / 2}" y="{BAR / 2 + 5}" text-anchor="middle">{escape(self.title)}</text>\n'
            f'<clipPath id="screen"><rect x="0" y="{BAR}" width="{width}" height="{height - BAR - 4}"/></clipPath>\n'
            f'<g clip-path="url(#screen)"><g class="scroll">\n' + "\n".join(body) + "\n</g></g>\n</svg>\n")
