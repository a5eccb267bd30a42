"""The command line: click parses, a plain function of the command's own module does the work and returns the exit code.

Only click and small modules of ours are imported here, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from legacy_ref_scan import __version__
from legacy_ref_scan.model import ScanError
from legacy_ref_scan.reports import FORMATS

DEBUG = "LEGACY_REF_SCAN_DEBUG"
PROGRAM = "legacy-ref-scan"
USAGE_ERROR = 2
INTERRUPTED = 130

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code. Nothing that goes wrong ends in 0."""
    gc.set_threshold(50_000, 20, 20)  # many objects and few cycles: the collector would look far too often
    try:
        return int(app.main(args=arguments, prog_name=PROGRAM, standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return USAGE_ERROR
    except ScanError as error:
        return _complain(f"error: {error}")
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get(DEBUG):
            import traceback

            traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        return _complain(
            f"internal error, nothing was decided: {type(error).__name__}: {first} ({DEBUG}=1 shows the traceback)"
        )


def _complain(message: str) -> int:
    from legacy_ref_scan.reports.style import clean

    if sys.stderr is not None:
        click.echo(f"{PROGRAM}: {clean(message)}", err=True)
    return USAGE_ERROR


def _scoped(*options: Decorator) -> Decorator:
    """Options that say what to look at, in the order of the help: the command takes them as one `scope`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(
            root: str,
            migrations: str | None,
            exclude: Sequence[str] = (),
            staged: bool = False,
            rev: str | None = None,
            **others: Any,
        ) -> Any:
            from legacy_ref_scan.cli.scope import Scope

            return command(scope=Scope.of(root, migrations, exclude, staged, rev), **others)

        scoped: Command = run
        for option in reversed(options):
            scoped = option(scoped)
        return scoped

    return decorate


_root = click.option("--root", default=".", metavar="DIR", help="The repository.  [default: .]")
_migrations = click.option(
    "--migrations", metavar="DIR", help="The migration directory. Without it, it is looked for and named in the report."
)
_repository = _scoped(_root, _migrations)
_format = click.option(
    "--format", "format_", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to print it."
)
_checks_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
_scope = _scoped(
    _root,
    _migrations,
    click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out what matches, as .gitignore would."),
    click.option("--staged", is_flag=True, help="Scan what is in the git index, not the working tree."),
    click.option("--rev", metavar="REV", help="Scan a git revision, without a checkout."),
)
_rules = click.option(
    "--rule", "rules", multiple=True, metavar="FILE", help="A rule file. Without it: all under ROOT/rules/."
)
_rule = click.option(
    "--rule", "rules", multiple=True, metavar="FILE", help="The rule. Without it: the one under ROOT/rules/."
)
_columns = click.option("--column", "columns", multiple=True, metavar="TABLE.COLUMN", help="A column, without a rule.")
_report = click.option("--output", metavar="FILE", help="Write the report to a file, whole or not at all.")
_protocol = click.option("--output", metavar="FILE", help="Write the protocol to a file, whole or not at all.")
_also = click.option(
    "--also-rev", multiple=True, metavar="REV", help="A release that is still running must be clean too; repeatable."
)


# click 8.1 answers 0 where no command is given, later versions 2: a missing command is a usage error.
@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def app() -> None:
    """Say whether any code still uses a PostgreSQL column, before it is dropped.

    Exit codes: 0 clean, 1 referenced, 2 usage or configuration error, 3 unknown (something could not be decided),
    4 a database or rehearsal check failed, 130 interrupted.
    """


@app.command("scan")
@click.argument("paths", nargs=-1)
@_rules
@_columns
@_scope
@_also
@_format
@_report
@click.option("--accounting", is_flag=True, help="List every mention of the names with its explanation.")
def scan_command(**options: Any) -> int:
    """Find what still uses the columns under retirement.

    PATHS restrict the scan to files and directories: the verdict is then about these alone.
    """
    from legacy_ref_scan.cli.scan import scan

    return scan(**options)


@app.command("check", short_help="Judge what new migrations drop or rename.")
@click.option("--base", metavar="REV", help="New is what REV lacks.  [default: origin/HEAD, origin/main, …]")
@click.option("--pending", type=int, metavar="N", help="The last N migrations are new.")
@click.option("--all", "every", is_flag=True, help="Judge every migration, as if none had run.")
@_scope
@_also
@_format
@_report
def check_command(**options: Any) -> int:
    """Judge every column and table that new migrations drop or rename against the code. Needs no rule.

    The exit code is that of the worst verdict. What is dropped and added again, or was never released, is no finding.
    """
    from legacy_ref_scan.cli.check import check

    return check(**options)


@app.command("retirable", short_help="List every column with its verdict: what could go next.")
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Only this table; repeatable.")
@click.option("--limit", type=int, metavar="N", help="Show so many columns.")
@_scope
@_format
@_report
def retirable_command(**options: Any) -> int:
    """List every column of the schema with its verdict, those that nothing uses first.

    The exit code is 0 whatever the verdicts are.
    """
    from legacy_ref_scan.cli.retirable import retirable

    return retirable(**options)


@app.command("explain", short_help="Say how the text at a place was put together, read and judged.")
@click.argument("place", metavar="FILE:LINE[:COLUMN]")
@_rules
@_columns
@_scope
@_format
def explain_command(**options: Any) -> int:
    """Say how the text at a place was put together, how it was read, and why that led to its conclusion.

    FILE is below ROOT; lines and columns are counted from 1, as in the reports.
    """
    from legacy_ref_scan.cli.explain import explain

    return explain(**options)


@app.command("generate-migration", short_help="Write the migration pair, if the verdict is clean.")
@_rule
@_scope
@_also
@click.option("--check", is_flag=True, help="Write nothing; answer by exit code.")
def generate_command(**options: Any) -> int:
    """Write the migration pair that drops the columns, if the verdict is clean."""
    from legacy_ref_scan.cli.generate import generate

    return generate(**options)


@app.command("rehearse", short_help="Run migrations, the code's statements and the drop on a PostgreSQL of one's own.")
@_rule
@_columns
@_scope
@click.option("--dsn", metavar="DSN", help="An empty database. Without it, an embedded server is started and removed.")
@click.option("--schema-dump", metavar="FILE", help="A dump of the schema, in the place of the migrations.")
@_checks_format
@_protocol
def rehearse_command(**options: Any) -> int:
    """Replay the migrations, prepare every statement of the code, apply up, prepare again, apply down and up again.

    A statement that PostgreSQL takes before the drop and not after it is a proven reference. Exit codes: 0 all passed,
    4 a check failed, 3 a check was not possible.
    """
    from legacy_ref_scan.cli.rehearse import rehearse

    return rehearse(**options)


@app.command("verify", short_help="Check staging or production before the drop, read-only.")
@_rule
@_columns
@_repository
@click.option(
    "--dsn", envvar="LEGACY_REF_SCAN_DSN", required=True, metavar="DSN",
    help="The database; better in the environment's LEGACY_REF_SCAN_DSN, where no process list shows it.",
)  # fmt: skip
@click.option(
    "--timeout", default=30.0, show_default=True, metavar="SECONDS", help="The longest one statement may run."
)
@click.option("--long-transaction", default=60.0, show_default=True, metavar="SECONDS", help="From when on it is long.")
@click.option("--snapshot", metavar="FILE", help="Write the values that are left to a CSV file, by primary key.")
@_checks_format
@_protocol
def verify_command(**options: Any) -> int:
    """Check a live database: values that are left, parity, dependents, function bodies, drift, who still asks.

    One connection, read-only transactions, no secrets in the output. Exit codes: 0 all passed, 4 a check failed, 3 a
    check was not possible.
    """
    from legacy_ref_scan.cli.verify import verify

    return verify(**options)


@app.command("plan", short_help="Write the retirement plan, or bring it up to date.")
@_rule
@_scope
@_also
@click.option("--evidence", multiple=True, metavar="FILE", help="A JSON protocol of rehearse or verify; repeatable.")
@click.option("--output", metavar="FILE", help="The document.  [default: RULE.plan.md beside the migrations]")
@click.option("--check", is_flag=True, help="Write nothing; 0 where it is up to date and every box is ticked, else 3.")
def plan_command(**options: Any) -> int:
    """Write the retirement plan as Markdown: context, migration, checklist, steps, rollback.

    Each box is ticked by evidence, or says what is missing. Run again, it updates its own boxes and blocks only.
    """
    from legacy_ref_scan.cli.plan import plan

    return plan(**options)


@app.command("schema", short_help="Print the schema that the migrations build, or that a database holds.")
@click.argument("table", required=False)
@_repository
@_format
@click.option("--dsn", metavar="DSN", help="Print what this database holds, as SQL that --migrations takes.")
@click.option("--output", metavar="FILE", help="Write it to a file, whole or not at all.")
def schema_command(**options: Any) -> int:
    """Print the schema that the migrations build; of one TABLE also what depends on each column.

    With --dsn, print the schema of a live database as SQL, from a read-only transaction: a file of it stands for the
    migrations wherever --migrations is taken.
    """
    from legacy_ref_scan.cli.schema import schema

    return schema(**options)


@app.command("init")
@click.argument("column", metavar="TABLE.COLUMN")
@_repository
@click.option("--output", metavar="FILE", help="The rule file.  [default: ROOT/rules/VERSION_NAME.toml]")
def init_command(**options: Any) -> int:
    """Write a commented rule that retires a column. Never overwrites a rule."""
    from legacy_ref_scan.cli.init import init

    return init(**options)
