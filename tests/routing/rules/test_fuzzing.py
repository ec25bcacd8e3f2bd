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


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, bytes]:
    """The packaged files; in one of them up to three lines are lost, doubled, indented or bear something strange."""
    files = dict(FILES)
    name = draw(st.sampled_from(sorted(files)))
    lines = files[name].decode().splitlines()
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
    files[name] = "\n".join(lines).encode("utf-8", "surrogatepass")
    return files


def mistakes(files: dict[str, bytes]) -> list[str] | None:
    """What the loader says is wrong; None if it read a rulebook."""
    try:
        read_rulebook(files)
    except BrokenRulebook as broken:
        return [str(fault).strip() for fault in broken.faults]
    return None


@settings(max_examples=20, deadline=None)
@given(damaged())
def test_a_damaged_rulebook_is_read_or_its_mistakes_are_named(files: dict[str, bytes]) -> None:
    found = mistakes(files)
    assert found is None or (found and all(found))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_a_cover_of_any_bytes_is_refused_in_words(raw: bytes) -> None:
    assert mistakes({"book.yaml": raw})
