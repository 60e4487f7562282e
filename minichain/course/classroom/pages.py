"""The pages of those who join with a phone: plain HTML that needs no script, in the language of their browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from minichain.course.classroom.board import MAX_NOTE
from minichain.course.classroom.register import IN, MAX_NAME, OUT, WAITING, Declined, Learner
from minichain.course.material import LANGUAGES, classroom_texts

TAGS: Final = {"en": "en", "zh": "zh-Hans"}
LOOK_AGAIN_S: Final = 4
STYLE: Final = """
:root { color-scheme: light; --ink: #16211f; --soft: #4f5d5a; --line: #e1e6e3; --edge: #87938f; --accent: #0b6e5f; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 34rem; min-height: 100vh; padding: 1rem; background: #f6f7f5; color: var(--ink);
  font: 1.125rem/1.55 "Segoe UI", -apple-system, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC",
  "WenQuanYi Micro Hei", sans-serif; }
body > p { margin: 0 0 .75rem; text-align: right; }
main { padding: 1.25rem; background: #fff; border: 1px solid var(--line); border-radius: 14px; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.15rem; }
a { color: var(--accent); }
label { display: block; margin: 1rem 0 .3rem; }
input { width: 100%; min-height: 3rem; padding: .5rem .75rem; border: 1px solid var(--edge); border-radius: 9px;
  font: inherit; }
button { min-height: 3rem; margin: 1.1rem 0 .25rem; padding: .5rem 1.5rem; border: 1px solid var(--accent);
  border-radius: 9px; background: var(--accent); color: #fff; font: inherit; cursor: pointer; }
:focus-visible { outline: 3px solid #1b5fcc; outline-offset: 2px; }
.why { margin: .75rem 0; padding: .6rem .8rem; border-left: .25rem solid #a3221c; border-radius: 6px;
  background: #fdeae8; }
.mark { border-radius: 50%; display: inline-block; height: 1em; vertical-align: -.1em; width: 1em; }
li { margin: .25rem 0; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .95rem; text-align: center; }
.link { overflow-wrap: anywhere; }
"""


def choose(asked: str, accepted: str) -> str:
    """Return the language of a request: what it asks for, then the browser's own list, then English."""
    for name in (asked, *accepted.split(",")):
        if (base := name.split(";")[0].strip().lower().partition("-")[0]) in LANGUAGES:
            return base
    return "en"


class Pages:
    """Pages in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, what: str, **values: object) -> str:
        """Return a text of the class, safe in HTML."""
        return escape(classroom_texts()[what](self.language, **values))

    def page(self, title: str, body: str, *, again: bool = False) -> str:
        """Return a page; one that is looked at `again` comes anew after some seconds."""
        other = next(one for one in LANGUAGES if one != self.language)
        look = f'<meta http-equiv="refresh" content="{LOOK_AGAIN_S}">' if again else ""
        return (
            f'<!DOCTYPE html><html lang="{TAGS[self.language]}"><head><meta charset="utf-8">{look}'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f'<style>{STYLE}</style></head><body><p><a href="?lang={other}" lang="{TAGS[other]}">'
            f"{self.say('other_language')}</a></p><main><h1>{title}</h1>{body}</main>"
            f"<footer><p>{self.say('training')}</p></footer></body></html>"
        )

    def why(self, why: Declined | None) -> str:
        """Say why not, if there is something to say."""
        return f'<p class="why" role="alert">{escape(why.said(self.language))}</p>' if why else ""

    def join(self, token: str, why: Declined | None = None) -> str:
        """Ask who wants to come in."""
        name = self._field("ask_name", f'name="name" maxlength="{MAX_NAME}"')
        ask = self._field("ask_token", f'name="token" value="{escape(token)}"')
        button = f"<button>{self.say('join')}</button>"
        return self.page(
            self.say("title"), f'{self.why(why)}<form method="post" action="/join">{name}{ask}{button}</form>'
        )

    def _field(self, what: str, is_: str) -> str:
        return f'<label for="{what}">{self.say(what)}</label><input id="{what}" {is_} required>'

    def trouble(self, why: Declined) -> str:
        """Say why not."""
        return self.page(self.say("title"), f'{self.why(why)}<p><a href="/">{self.say("title")}</a></p>')

    def me(
        self, learner: Learner, link: str, institution: str, notes: Sequence[dict[str, Any]], height: int = 0
    ) -> str:
        """Show somebody their place: waiting, in, gone or refused."""
        if learner.state == WAITING:
            return self.page(self.say("waiting_title"), f"<p>{self.say('waiting', name=learner.name)}</p>", again=True)
        if learner.state == OUT:
            return self.trouble(Declined("dismissed"))
        if learner.state != IN:
            button = f'<form method="post" action="/back"><button>{self.say("join")}</button></form>'
            return self.page(self.say("title"), f"<p>{self.say('left')}</p>{button}")
        mark = f'<span class="mark" style="background:{learner.colour}" aria-hidden="true"></span>'
        body = f"<p>{mark} {self.say('in', name=learner.name, number=learner.number)}</p>"
        body += f'<p><a href="/game">{self.say("game_title")}</a></p>'
        if not institution:
            return self.page(self.say("in_title"), f"{body}<p>{self.say('not_on_chain')}</p>", again=True)
        return self.page(self.say("in_title"), body + self._chain(institution, notes, height) + self._ways(link))

    def _chain(self, institution: str, notes: Sequence[dict[str, Any]], height: int) -> str:
        signed = f'<p role="status">{self.say("signed", height=height)}</p>' if height else ""
        field = self._field("note", f'name="text" maxlength="{MAX_NOTE}"')
        form = f'<form method="post" action="/note">{field}<button>{self.say("sign_note")}</button></form>'
        listed = "".join(f"<li>{note['institution']}: {escape(note['text'])}</li>" for note in notes)
        shown = f"<h2>{self.say('notes')}</h2><ul>{listed}</ul>" if notes else ""
        return f"<p>{self.say('institution')}: <strong>{escape(institution)}</strong></p>{signed}{form}{shown}"

    def _ways(self, link: str) -> str:
        leave = f'<form method="post" action="/leave"><button>{self.say("leave")}</button></form>'
        return f'<p>{self.say("keep_link")}</p><p class="link"><a href="{escape(link)}">{escape(link)}</a></p>{leave}'
