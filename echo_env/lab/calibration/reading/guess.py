"""Which column may hold what, by the likeness of its header to what others write there, and by its cells.

A guess is never used: it is shown to the owner of the sheet as a column map, see :class:`ColumnsGuessed`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from functools import cache
from itertools import islice
from typing import Any

from echo_env.common.config_file import with_changes
from echo_env.common.config_model import build
from echo_env.lab.calibration.reading.cells import BLANK, UNREAD, read_length, read_time
from echo_env.lab.calibration.reading.column_map import ColumnMap
from echo_env.lab.calibration.reading.columns import HEADER_AMONG
from echo_env.lab.calibration.reading.fields import FIELDS, holds
from echo_env.lab.calibration.reading.grids import Rows, SheetError, text_of

_SYNONYMS = {
    "day": "date|exam date|visit date|appointment date|service date|datum|tag|untersuchungsdatum|jour|fecha|día",
    "session": "session number|session id|sitzung|séance|sesión",
    "patient": "patient id|patient number|mrn|pat nr|patientennummer|pid|case id|numéro patient|paciente|nhc|id",
    "type": "exam type|study type|patient type|procedure|modality|exam|appointment type|protocol|art der untersuchung|"
    "untersuchungsart|untersuchung|leistung|type d'examen|examen|acte|tipo de examen|tipo de estudio|prueba|type",
    "fetal": "is fetal|foetal|fötal|fœtal|fetal echo",
    "expected": "expected arrival|arrive by|arrival due|due|expected check in|asked to arrive|report time|"
    "einbestellt|einbestellzeit|heure de convocation|convocation|hora de citación",
    "actual": "check in|checked in|arrival|arrival time|arrived|actual arrival|sign in|ankunft|ankunftszeit|"
    "anmeldung|angekommen|arrivée|heure d'arrivée|llegada|hora de llegada",
    "scheduled": "appointment|appt|appt date|appointment time|scheduled time|schedule|sched|appt time|booked time|"
    "planned start|termin|terminzeit|geplant|uhrzeit termin|rendez-vous|rdv|heure du rdv|heure prévue|cita|"
    "hora de cita|hora programada",
    "vitals_in": "vitals start|prep start|preparation start|triage start|vorbereitung beginn|début préparation|"
    "inicio preparación",
    "vitals_out": "vitals end|prep end|preparation end|triage end|vorbereitung ende|fin préparation|fin preparación",
    "begin": "start|start time|exam start|scan start|begin time|time in|in|started|exam begin|service time|"
    "procedure start|beginn|untersuchungsbeginn|beginn untersuchung|start untersuchung|début|début examen|"
    "heure de début|inicio|inicio examen|hora de inicio",
    "end": "stop|departure|departure time|end time|exam end|scan end|finish|finished|time out|out|completed|"
    "procedure end|ende|untersuchungsende|ende untersuchung|schluss|fin|fin examen|heure de fin|"
    "fin del examen|hora de fin",
    "length": "duration|exam duration|scan time|minutes|dauer|untersuchungsdauer|durée|duración",
    "room": "room number|scanner|machine|location|raum|zimmer|gerät|salle|appareil|sala|equipo",
    "staff": "technologist|technician|tech|radiographer|operator|performed by|initials|doctor|physician|provider|"
    "nurse|mta|untersucher|arzt|personal|bearbeiter|kürzel|technicien|manipulateur|médecin|opérateur|técnico|médico",
    "status": "state|visit status|appointment status|outcome|attendance|statut|estado|anwesenheit|présence",
    "unscheduled": "walk in|add on|emergency|ungeplant|notfall|sans rdv|urgencia",
}  # fmt: skip
_LEAST_SCORE = 0.8
_LOOKED_AT = 60
"""Rows whose cells are looked at."""
_LEAST_TIMES = 0.6
"""Share of the cells of a column of times that must be times or marks."""


class ColumnsGuessed(SheetError):
    """The headers of a file are not known; says which columns may hold what.

    :param file: name of the file
    :param columns: field -> header, guessed and known ones
    :param guessed: the fields that are guessed
    """

    def __init__(self, file: str, columns: dict[str, str], guessed: set[str]) -> None:
        likely = ", ".join(f"{name} is {columns[name]!r}" for name in FIELDS if name in guessed)
        super().__init__(f"{file}: not all headers are known, and a guess has to be confirmed: {likely}")
        self.columns = {name: columns[name] for name in FIELDS if name in columns}

    @property
    def map(self) -> ColumnMap:
        """The guess as a column map."""
        return build(ColumnMap, dict(self.columns))

    @property
    def yaml(self) -> str:
        """The guess as the text of a column map."""
        return with_changes("{}\n", {(name,): header for name, header in self.columns.items()}).lstrip()


def guess(rows: Rows) -> tuple[int, dict[str, str]]:
    """The row that is likeliest to hold headers, and field -> header.

    :param rows: of a sheet
    """
    best: tuple[float, int, dict[str, str]] = (0.0, 1, {})
    for number in list(rows)[:HEADER_AMONG]:
        headers = {text: k for k, value in enumerate(rows[number]) if (text := text_of(value))}
        score, found = guess_row(rows, number, headers)
        if score > best[0]:
            best = score, number, found
    return best[1:]


def guess_row(
    rows: Rows, number: int, headers: dict[str, int], known: Collection[str] = ()
) -> tuple[float, dict[str, str]]:
    """The sum of likenesses of the best headers of a row, and field -> header.

    :param rows: of a sheet
    :param number: of the row
    :param headers: those that may be guessed -> number of the column
    :param known: fields that are not guessed, because their headers are known
    """
    below = [values for k, values in rows.items() if k > number]
    scores = sorted(
        ((_likeness(header, name), name, header) for header in headers for name in FIELDS if name not in known),
        key=lambda one: -one[0],
    )
    found: dict[str, str] = {}
    total = 0.0
    for score, name, header in scores:
        taken = name in found or header in found.values()
        if score >= _LEAST_SCORE and not taken and _can_hold(name, [values[headers[header]] for values in below]):
            found[name] = header
            total += score
    if "type" in found or "type" in known:
        found.pop("fetal", None)
    return total, found


@cache
def _likeness(header: str, name: str) -> float:
    """From 0 to 1; a synonym with words around it, such as 'beginn (uhr)', is alike in 0.9."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)  # PatientType
    plain = " ".join(re.findall(r"[^\W_]+", spaced.lower()))
    best = 0.0
    for synonym in [FIELDS[name].words, name, *_SYNONYMS[name].split("|")]:
        words = " ".join(re.findall(r"[^\W_]+", synonym))
        if plain == words or plain.replace(" ", "") == words.replace(" ", ""):
            return 1.0
        inside = len(words) > 3 and set(words.split()) <= set(plain.split())
        close = difflib.SequenceMatcher(None, plain, words).ratio() * 0.97
        best = max(best, 0.85 + 0.01 * min(len(words), 10) if inside else close)
    return best


def _can_hold(name: str, cells: list[Any]) -> bool:
    """Whether most of the cells that are filled are what the field holds."""
    kind = holds(name)
    if kind not in ("moment", "spell", "length"):
        return True
    read = read_length if kind == "length" else read_time
    contents = [read(value).content for value in islice(filter(text_of, cells), _LOOKED_AT)]
    filled = [content for content in contents if content != BLANK]
    return not filled or sum(content != UNREAD for content in filled) >= _LEAST_TIMES * len(filled)
