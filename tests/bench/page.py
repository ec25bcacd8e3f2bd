"""Writes docs/performance.md and its plot, by plain code."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[2] / "docs"
APART = (
    "A report at the door",
    "Decisions",
    "Many reports",
    "Many cases",
    "Many mails",
    "Memory beside many",
)
"""Sections that runs of their own write."""


@dataclass
class Figure:
    """Values of one measure in `unit`; `limit` names the figure it is compared with."""

    name: str
    unit: str = "/s"
    limit: str | None = None
    values: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Half of what lies between the least and the greatest, as a share of the median."""
        return (max(self.values) - min(self.values)) / 2 / self.middle if self.middle else 0.0


class Figures(dict[str, Figure]):
    """By name, in the order of measuring."""

    def add(self, name: str, value: float, *, unit: str = "/s", limit: str | None = None) -> None:
        self.setdefault(name, Figure(name, unit, limit)).values.append(value)

    def ratio(self, figure: Figure) -> float | None:
        """The median of the ratios of each round, so that a busy moment meets both."""
        if figure.limit is None or figure.limit not in self:
            return None
        pairs = zip(figure.values, self[figure.limit].values, strict=False)
        return statistics.median([value / limit for value, limit in pairs])


def table(figures: Figures) -> str:
    lines = ["| measure | median | spread | ratio | of |", "| --- | --- | --- | --- | --- |"]
    for figure in figures.values():
        ratio = figures.ratio(figure)
        compared = f"{ratio:.2f} | {figure.limit}" if ratio is not None else " | "
        number = f"{figure.middle:,.1f}" if figure.middle < 100 else f"{figure.middle:,.0f}"
        lines.append(f"| {figure.name} | {number} {figure.unit} | ±{figure.spread:.0%} | {compared} |")
    return "\n".join(lines)


def plot(figures: Figures) -> str:
    """A bar for each ratio, as SVG; the line is 1.0, the limit."""
    bars = [(f.name, f.limit, ratio) for f in figures.values() if (ratio := figures.ratio(f)) is not None]
    most = max([1.0, *(ratio for _, _, ratio in bars)])
    scale, height = 330 / most, 26 * len(bars) + 30
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{height}" font-family="sans-serif" '
            'font-size="12">',
            f'<rect width="820" height="{height}" fill="white"/>',
            *(bar for number, given in enumerate(bars) for bar in _bar(number, *given, scale)),
            f'<line x1="{420 + scale:.0f}" x2="{420 + scale:.0f}" y1="4" y2="{height - 22}" stroke="black" '
            'stroke-dasharray="4"/>',
            f'<text x="{420 + scale:.0f}" y="{height - 8}" text-anchor="middle">1.0 of what it is compared with</text>',
            "</svg>",
        ]
    )


def _bar(number: int, name: str, limit: str | None, ratio: float, scale: float) -> Iterator[str]:
    y = 8 + 26 * number
    yield f'<text x="412" y="{y + 14}" text-anchor="end">{name} / {limit}</text>'
    yield f'<rect x="420" y="{y}" width="{max(1, ratio * scale):.0f}" height="18" fill="#4477aa"/>'
    yield f'<text x="{424 + ratio * scale:.0f}" y="{y + 14}">{ratio:.2f}</text>'


def write(text: str, figures: Figures, folder: Path = HERE) -> None:
    """The page and the plot beside it; sections that other runs have `put` stay."""
    page = folder / "performance.md"
    kept = {title: body for title, body in _sections(page).items() if title in APART}
    page.write_text(_joined({**_split(text), **kept}), encoding="utf-8")
    (folder / "performance.svg").write_text(plot(figures) + "\n", encoding="utf-8")


def put(title: str, body: str, folder: Path = HERE) -> None:
    """One section of the page anew, one of APART."""
    page = folder / "performance.md"
    page.write_text(_joined({**_sections(page), title: body}), encoding="utf-8")


def _sections(page: Path) -> dict[str, str]:
    return _split(page.read_text(encoding="utf-8")) if page.exists() else {}


def _split(text: str) -> dict[str, str]:
    """By title, in their order; what comes before the first title has none."""
    head, *rest = text.split("\n## ")
    return {
        "": head.strip(),
        **{title: body.strip() for title, _, body in (part.partition("\n") for part in rest)},
    }


def _joined(sections: dict[str, str]) -> str:
    return "\n\n".join(f"## {title}\n\n{body}" if title else body for title, body in sections.items()) + "\n"
