"""The course as pages to read: whole, in both languages, without the internet; and on paper."""

from __future__ import annotations

import re
import threading

import pytest
from browser import require_browser, visit
from test_cli import COULD_NOT, run

from minichain.catalogue import LOCALES
from minichain.course import editions, material, papers, site
from minichain.errors import UsageError
from minichain.views import glossary, printing

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # what Sphinx's parts say to each other


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("site")
    words = {language: [(term.name, term.tip) for term in glossary.terms(language)] for language in LOCALES}
    assert site.build(folder, words, "zh") == [], "Sphinx has nothing to complain of"
    return folder


def test_each_language_has_a_page_for_each_module_lesson_and_card_and_the_words(built):
    names = {module.id for module in material.syllabus().modules}
    names |= {"casebook", "glossary", "beliefs", "agendas", "search"}
    names |= set(editions.names(editions.masters()))
    for language in LOCALES:
        assert names <= {path.stem for path in (built / language).glob("*.html")}
    assert "指纹：哈希与默克尔证明" in (built / "zh/m02.html").read_text("utf-8")
    assert "上一页" in (built / "zh/m02.html").read_text("utf-8"), "the words of the theme are Chinese, too"
    assert 'href="../zh/index.html"' in (built / "en/m02.html").read_text("utf-8")
    assert "zh/index.html" in (built / "index.html").read_text("utf-8")
    assert glossary.terms("zh")[0].tip in (built / "zh/glossary.html").read_text("utf-8")


def test_no_page_asks_another_server_for_anything(built):
    asked = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](?:https?:)?//|url\([\"']?(?:https?:)?//")
    texts = {path: path.read_text("utf-8") for path in built.rglob("*") if path.suffix in (".html", ".css")}
    assert len(texts) > 80
    assert [path for path, text in texts.items() if asked.search(text)] == []


def test_a_text_is_found_in_chinese_and_nothing_is_asked_for_outside(built, chromium):
    with site.server(built) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            at = f"http://127.0.0.1:{server.server_port}/zh/search.html?q=法定多数"
            with visit(chromium, locale="zh-CN") as seen:
                seen.page.goto(at)
                seen.page.wait_for_selector("#search-results li a >> nth=0", timeout=10_000)
                assert (seen.outside(), seen.trouble) == (set(), [])
        finally:
            server.shutdown()


def test_code_is_shown_as_a_learner_gets_it():
    page = site.lesson("08-contracts", "zh")
    assert "```text\n%%contract" in page
    assert "```python\n" in page
    assert re.search("[\u4e00-\u9fff]", page)


def test_nothing_of_the_users_is_written_over_and_without_sphinx_it_is_said_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty: name another folder"):
        site.build(tmp_path, {})
    assert "is not empty" in run("course", "serve", "--into", tmp_path, expect=COULD_NOT).stderr
    monkeypatch.setattr(site, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"run `pip install \"minichain\[site\]\"`"):
        site.build(tmp_path / "new", {})


# --- on paper ----------------------------------------------------------------------------------------------------


def sheets(page: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", printing.pdf(page.decode())))


@pytest.mark.parametrize("language", LOCALES)
def test_the_runbook_has_two_pages(language, monkeypatch):
    monkeypatch.setenv(printing.VARIABLE, require_browser())
    text = (material.curriculum() / f"runbook.{language}.md").read_text("utf-8")
    assert sheets(papers.titled("runbook", text, language)) == 2


def test_exercises_are_printed_with_and_without_solutions(tmp_path, monkeypatch):
    monkeypatch.setenv(printing.VARIABLE, require_browser())
    run("course", "print", tmp_path / "m02.html", "--module", "m02", "--lang", "zh")
    run("course", "print", tmp_path / "m02.pdf", "--module", "m02", "--solutions")
    assert "一种正确答案" not in (tmp_path / "m02.html").read_text("utf-8")
    assert (tmp_path / "m02.pdf").read_bytes().startswith(b"%PDF")
    assert "no module 'm99'" in run("course", "print", tmp_path / "x.html", "--module", "m99", expect=COULD_NOT).stderr
