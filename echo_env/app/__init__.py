"""The app: what the commands do, in a browser on the same computer (``echo-lab app``; needs the extra ``app``).

:mod:`.main` is the script that Streamlit runs, with one module for each page. Whatever takes long is a command of
``echo-lab`` in a process of its own (:mod:`.jobs`), whose files stand in one folder (:mod:`.workspace`): a page shows
the same report as the command, and can say how to do it again.
"""
