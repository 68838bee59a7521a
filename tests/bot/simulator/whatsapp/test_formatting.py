import pytest

from bot.simulator.whatsapp.formatting import formatted


@pytest.mark.parametrize(
    ("source", "text", "kinds"),
    [
        ("plain", "plain", []),
        ("*bold*", "bold", [("bold", 0, 4)]),
        ("👍 *bold* _it_", "👍 bold it", [("bold", 3, 4), ("italic", 8, 2)]),
        ("*a _b_ c*", "a b c", [("bold", 0, 5), ("italic", 2, 1)]),
        ("~no~ `x*y*`", "no x*y*", [("strikethrough", 0, 2), ("code", 3, 4)]),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name", []),
        ("* list\n* item", "* list\n* item", []),
        ("* not bold*", "* not bold*", []),
        ("see https://example.com/a_b_c.", "see https://example.com/a_b_c.", [("url", 4, 25)]),
        ("```a\nb```", "a\nb", [("code", 0, 3)]),
    ],
)
def test_marks_become_entities(source, text, kinds):
    found, entities = formatted(source)
    assert found == text
    assert [(one["type"], one["offset"], one["length"]) for one in entities] == kinds
