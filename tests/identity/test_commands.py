"""`flask identity …`: one line for each thing done, one line for each thing refused."""

import re

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.identity.desk import Desk, Person, refused, said


@pytest.fixture
def desk(database: Database, clock: FixedClock) -> Desk:
    return Desk(database, clock)


def run(desk: Desk, *arguments: str, typed: str = "") -> Result:
    runner = desk.app.test_cli_runner()
    assert isinstance(runner, FlaskCliRunner)
    return runner.invoke(args=["identity", *arguments], input=typed)


def test_staff_come_in_as_the_commands_say(desk: Desk) -> None:
    done = run(desk, "add-staff", "lin.clerk", "--role", "support", "--generate")
    assert done.exit_code == 0, done.output
    found = re.search(r"^password (\S{24})$", done.output, re.MULTILINE)
    assert found
    given = {"username": "lin.clerk", "password": found[1]}
    said(desk.ask("POST", "/staff-sessions", given), 201)
    renewed = run(desk, "set-password", "lin.clerk", "--generate")
    refused(desk.ask("POST", "/staff-sessions", given), 401, "sign-in-refused")
    found = re.search(r"^password (\S{24})$", renewed.output, re.MULTILINE)
    assert found
    given["password"] = found[1]
    grant = said(desk.ask("POST", "/staff-sessions", given), 201)
    lin = Person(desk, grant["owner_id"], "", grant["access_token"], "")
    search = {"phone": "13805711234"}
    said(lin.ask("POST", "/citizen-searches", search), 200)
    assert run(desk, "set-roles", "lin.clerk", "--role", "auditor").exit_code == 0
    refused(lin.ask("POST", "/citizen-searches", search), 403, "role-missing")
    assert run(desk, "set-password", "lin.clerk", "--generate").exit_code == 0
    refused(lin.ask("GET", "/sessions"), 401, "token-refused")
    assert run(desk, "disable-staff", "lin.clerk").exit_code == 0
    refused(desk.ask("POST", "/staff-sessions", given), 401, "sign-in-refused")


def test_a_typed_password_is_not_shown(desk: Desk) -> None:
    typed = "correct horse battery"
    done = run(desk, "add-staff", "lin.clerk", "--role", "auditor", typed=f"{typed}\n{typed}\n")
    assert done.exit_code == 0, done.output
    assert typed not in done.output


@pytest.mark.parametrize(
    ("arguments", "typed", "said_so"),
    [
        (("add-staff", "lin.clerk", "--role", "support"), "short\nshort\n", "12 to 128"),
        (("add-staff", "Lin", "--role", "support", "--generate"), "", "username is not valid"),
        (("add-staff", "lin.clerk", "--role", "king", "--generate"), "", "'king' is not one of"),
        (("add-staff", "lin.clerk", "--generate"), "", "Missing option '--role'"),
        (("disable-staff", "nobody"), "", "There is no such thing"),
        (("set-roles", "nobody", "--role", "support"), "", "There is no such thing"),
        (("set-password", "nobody", "--generate"), "", "There is no such thing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    desk: Desk, arguments: tuple[str, ...], typed: str, said_so: str
) -> None:
    done = run(desk, *arguments, typed=typed)
    assert done.exit_code != 0
    assert said_so in done.output
    assert "Traceback" not in done.output


def test_reencrypt_says_what_it_did(desk: Desk, database: Database, clock: FixedClock) -> None:
    someone = desk.citizen()
    said(someone.ask("PUT", "/profile/phone", {"phone": "13805711234"}), 200)
    assert "nothing was left" in run(desk, "reencrypt").output
    ring = {
        "keys": {
            "t1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "t2": "YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=",
        },
        "current": "t2",
        "index": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
    }
    rotated = Desk(database, clock, personal_data_keys=ring)
    done = run(rotated, "reencrypt")
    assert done.exit_code == 0, done.output
    assert "personal_details.phone_sealed: 1 looked at, 1 sealed anew" in done.output
    assert "sealed 1 values anew" in done.output
    assert "nothing was left" in run(rotated, "reencrypt").output
