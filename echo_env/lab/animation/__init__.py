"""A day as a moving floor plan, as GIF or MP4 (needs matplotlib and pillow; MP4 the extra ``video``).

vidigi does not fit: it draws one event log as an interactive Plotly page, writes neither GIF nor MP4, and brings
graphviz, ipywidgets and ipycytoscape.
"""

from echo_env.lab.animation.frames import Film
from echo_env.lab.animation.writing import ENDINGS, mp4_of, png_of, write_animation

__all__ = ["ENDINGS", "Film", "mp4_of", "png_of", "write_animation"]
