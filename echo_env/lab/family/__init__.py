"""Random labs: the family for which a generalist agent is trained."""

from echo_env.lab.family.family import LabFamily, Stream

__all__ = ["LabFamily", "Stream"]
