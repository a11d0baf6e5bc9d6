"""One self-contained HTML page for people, whatever command made it: what was asked, the answer, and how sure it is.

:mod:`.page` is what a page is, :mod:`.render` writes it; :mod:`.comparison`, :mod:`.sweep`, :mod:`.record` and
:mod:`.proposal` fill it for each command. Needs the extra ``report``.
"""
