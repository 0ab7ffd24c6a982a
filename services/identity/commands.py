"""`flask identity …`: staff, and the rotation of the key for personal data."""

import secrets

import click
from flask.cli import with_appcontext

from services.host.platform import current_platform
from services.identity import flows
from services.identity.operations import staff
from services.identity.passwords import hash_password
from services.identity.rules.sessions import StaffRole

GENERATED_BYTES = 18


@click.group("identity")
def identity() -> None:
    """Add and disable staff; seal personal data with the current key."""


ROLES = click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in StaffRole]),
    multiple=True,
    required=True,
    help="What they may do; give it once for each role.",
)
GENERATE = click.option(
    "--generate", is_flag=True, help="Make a password and print it, instead of asking."
)


@identity.command("add-staff")
@click.argument("username")
@ROLES
@GENERATE
@with_appcontext
def add_staff(username: str, roles: tuple[str, ...], *, generate: bool) -> None:
    """Add a member of staff; the password is asked for, or made with --generate."""
    password, platform = _password(generate=generate), current_platform()
    with platform.database.transaction() as session:
        staff_id = staff.add_staff(
            session,
            username=username,
            password_hash=hash_password(password, username=username),
            roles=[StaffRole(role) for role in roles],
            now=platform.clock.now(),
        )
    click.echo(f"added {username} as {staff_id}")
    if generate:
        click.echo(f"password {password}")


@identity.command("set-roles")
@click.argument("username")
@ROLES
@with_appcontext
def set_roles(username: str, roles: tuple[str, ...]) -> None:
    """Replace the roles of a member of staff."""
    with current_platform().database.transaction() as session:
        staff.set_roles(session, username=username, roles=[StaffRole(role) for role in roles])
    click.echo(f"{username} is now {', '.join(sorted(set(roles)))}")


@identity.command("set-password")
@click.argument("username")
@GENERATE
@with_appcontext
def set_password(username: str, *, generate: bool) -> None:
    """Replace the password of a member of staff, and end every session of theirs."""
    password, platform = _password(generate=generate), current_platform()
    with platform.database.transaction() as session:
        staff.set_password(
            session,
            username=username,
            password_hash=hash_password(password, username=username),
            now=platform.clock.now(),
        )
    click.echo(f"{username} has a new password")
    if generate:
        click.echo(f"password {password}")


@identity.command("disable-staff")
@click.argument("username")
@with_appcontext
def disable_staff(username: str) -> None:
    """Let a member of staff in no more, and end every session of theirs."""
    platform = current_platform()
    with platform.database.transaction() as session:
        staff.disable_staff(session, username=username, now=platform.clock.now())
    click.echo(f"disabled {username}")


@identity.command("reencrypt")
@with_appcontext
def reencrypt() -> None:
    """Seal everything that an older key sealed with the current one.

    Stop it and start it again as you like. When it says that nothing was left, the older keys can
    be taken out of QIANTANG_PERSONAL_DATA_KEYS.
    """
    platform = current_platform()

    def tell(column: str, seen: int, changed: int) -> None:
        click.echo(f"{column}: {seen} looked at, {changed} sealed anew")

    total = flows.reencrypt(platform.database, vault=platform.vault, tell=tell)
    click.echo(f"sealed {total} values anew" if total else "nothing was left on an older key")


def _password(*, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES)
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
