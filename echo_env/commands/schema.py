"""Print the JSON schema of a config file.

echo-lab schema > lab.schema.json
echo-lab schema --of pathways > pathways.schema.json

Editors with a YAML language server complete and check a config whose first
line is # yaml-language-server: $schema=lab.schema.json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from echo_env.commands.common.running import exit_status, parse
from echo_env.lab.config.schema import lab_schema
from echo_env.pathways.config.schema import pathways_schema

SCHEMAS = {"lab": lab_schema, "pathways": pathways_schema}


@dataclass(frozen=True, kw_only=True)
class SchemaOptions:
    """Options as typed.

    :param of: lab or pathways
    """

    of: str = "lab"


def main(tokens: Sequence[str], program: str = "echo-lab schema") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0, or 2 for input that cannot be used
    """

    def work() -> None:
        options = parse(SchemaOptions, tokens, program, __doc__)
        if options is None:
            return
        if options.of not in SCHEMAS:
            raise ValueError(f"--of is {options.of!r}, but must be {' or '.join(SCHEMAS)}")
        print(json.dumps(SCHEMAS[options.of](), indent=2))

    return exit_status(work)
