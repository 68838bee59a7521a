import re

from admin_web.assets import OWN_FOLDER, WHEEL_FILES, asset, assets, icon


def test_htmx_is_of_the_second_generation():
    assert 'version:"2.0.' in WHEEL_FILES["htmx.js"].read_text()


def test_a_url_names_the_content():
    assert re.fullmatch(r"/s/[0-9a-f]{12}/app\.css", asset("app.css"))


def test_a_page_weighs_little():
    parts = [assets()[name].packed for name in ("app.css", "app.js", "htmx.js")]
    assert sum(map(len, parts)) < 45_000


def test_colours_stand_in_the_root_only():
    css = (OWN_FOLDER / "app.css").read_text()
    rest = css[css.index("html[data-theme") :]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;,) ])", rest) == []


def test_scripts_need_no_exception_from_the_policy():
    for path in OWN_FOLDER.glob("*.js"):
        assert not re.search(r"\beval\(|new Function|\.innerHTML|document\.write", path.read_text()), path.name


def test_templates_have_no_inline_style_or_script():
    for path in (OWN_FOLDER.parent / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]* src=)", text), path.name


def test_an_icon_is_hidden_from_screen_readers():
    assert 'aria-hidden="true"' in icon("check")
