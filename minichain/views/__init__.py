"""What people look at: plain ipywidgets, one style sheet, small SVG widgets, and no ledger state.

Nothing here decides anything: a view shows what a client answered and sends what a person asked for.
Every word shown goes through `i18n`; every value shown goes through `markup`, which escapes it.
"""
