"""Files and folders that appear whole or not at all, and never in place of somebody else's."""

from echo_env.common.files.csv_cells import number_text, text_cell, text_cells
from echo_env.common.files.delivery import STANDARD_OUTPUT, Delivery, check_file, delivery
from echo_env.common.files.folder import MARKER, check_folder
from echo_env.common.files.whole import files_in, written_whole

__all__ = [
    "MARKER",
    "STANDARD_OUTPUT",
    "Delivery",
    "check_file",
    "check_folder",
    "delivery",
    "files_in",
    "number_text",
    "text_cell",
    "text_cells",
    "written_whole",
]
