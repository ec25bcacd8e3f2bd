"""However a rulebook's files are damaged, the loader reads them or says where they are wrong; it never fails otherwise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.rulebook_files import HERE, files_of, read_rulebook
from services.routing.yaml_nodes import BrokenRulebook

FILES = files_of(HERE)
PIECES = st.sampled_from(
    [
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "{",
        "]",
        ": ",
        "- ",
        "\t",
        "\x00",
        "null",
        "1e999",
        "<<: ",
        "'",
    ]
) | st.text(max_size=8)


class Lines(list[str]):
    """Shown as what is not in the packaged file, where a failure is told."""

    def __repr__(self) -> str:
        packaged = {line for raw in FILES.values() for line in raw.decode().splitlines()}
        return f"{len(self)} lines, new: {[line for line in self if line not in packaged]}"


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, list[str]]:
    """The name of a packaged file, and its lines: up to three are lost, doubled, indented or bear something strange."""
    name = draw(st.sampled_from(sorted(FILES)))
    lines = Lines(FILES[name].decode().splitlines())
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("lose", "double", "indent", "strange"))):
            case "lose" if len(lines) > 1:
                del lines[number]
            case "double":
                lines.insert(number, lines[number])
            case "indent":
                lines[number] = "  " + lines[number]
            case _:
                place = draw(st.integers(0, len(lines[number])))
                lines[number] = lines[number][:place] + draw(PIECES) + lines[number][place:]
    return name, lines


def mistakes(files: dict[str, bytes]) -> list[str] | None:
    """What the loader says is wrong; None if it read a rulebook."""
    try:
        read_rulebook(files)
    except BrokenRulebook as broken:
        return [str(fault).strip() for fault in broken.faults]
    return None


@settings(max_examples=20, deadline=None)
@given(damaged())
def test_a_damaged_rulebook_is_read_or_its_mistakes_are_named(damage: tuple[str, list[str]]) -> None:
    name, lines = damage
    found = mistakes({**FILES, name: "\n".join(lines).encode("utf-8", "surrogatepass")})
    assert found is None or (found and all(found))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_a_cover_of_any_bytes_is_refused_in_words(raw: bytes) -> None:
    assert mistakes({"book.yaml": raw})
