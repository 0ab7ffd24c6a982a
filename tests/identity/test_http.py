"""Identity over HTTP: who may ask what, what is shown, and what nobody may set."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import new_id
from services.host.access import Required
from services.host.routes import current_routes
from services.identity.operations.staff import disable_staff
from services.identity.rules.attempts import REAL_NAME_PER_CITIZEN, STAFF_PER_USERNAME
from services.identity.rules.sessions import StaffRole
from tests.identity.desk import PASSWORD, Desk, Person, refused, said
from tests.identity.people import card_number

GROWN, CHILD, OLD = date(1985, 5, 5), date(2015, 6, 1), date(1950, 1, 1)
PROFILE = {"citizen_id", "name", "id_number", "phone", "sex", "minor"}


@pytest.fixture
def desk(database: Database, clock: FixedClock) -> Desk:
    return Desk(database, clock)


def named(person: Person, birth: date = GROWN, order: int = 101) -> Person:
    given = {"name": "王小明", "id_number": card_number(birth, order)}
    said(person.ask("PUT", "/profile/real-name", given), 200)
    return person


def declared(parent: Person, order: int = 7) -> str:
    given = {"name": "王小宝", "id_number": card_number(CHILD, order), "relation": "child"}
    citizen_id: str = said(parent.ask("POST", "/family/minors", given), 201)["citizen_id"]
    return citizen_id


# Who is asking.


@pytest.mark.parametrize(
    "credentials",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic x", "bearer a.b.c", "Bearer \u00e4"],
)
def test_without_a_good_token_nobody_is_asked_in(desk: Desk, credentials: str) -> None:
    answer = desk.ask(
        "GET", "/profile", headers={"Authorization": credentials.encode().decode("latin-1")}
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_lives_for_a_quarter_of_an_hour(desk: Desk) -> None:
    someone = desk.citizen()
    said(someone.ask("GET", "/profile"), 200)
    desk.clock.advance(timedelta(minutes=15))
    refused(someone.ask("GET", "/profile"), 401, "token-refused")


def test_a_token_dies_with_its_session_at_once(desk: Desk) -> None:
    """Seen to fail with the session not looked up."""
    someone = desk.citizen()
    assert someone.ask("DELETE", "/sessions/current").status_code == 204
    refused(someone.ask("GET", "/profile"), 401, "token-refused")
    refused(
        desk.ask("POST", "/sessions/refresh", {"refresh_token": someone.refresh_token}),
        401,
        "refresh-refused",
    )


def test_a_refresh_token_is_no_access_token_and_the_reverse(desk: Desk) -> None:
    someone = desk.citizen()
    swapped = Person(desk, someone.id, "", someone.refresh_token, someone.access_token)
    refused(swapped.ask("GET", "/profile"), 401, "token-refused")
    answer = desk.ask("POST", "/sessions/refresh", {"refresh_token": swapped.refresh_token})
    assert answer.status_code in {401, 422}


def test_a_token_of_another_installation_is_refused(
    desk: Desk, database: Database, clock: FixedClock
) -> None:
    """The same keys and the same citizen, but another address: seen to fail without iss and aud."""
    someone = desk.citizen()
    other = Desk(database, clock, public_url="http://other.example")
    elsewhere = Person(
        other, someone.id, someone.session_id, someone.access_token, someone.refresh_token
    )
    refused(elsewhere.ask("GET", "/profile"), 401, "token-refused")


# Sessions.


def test_refreshing_over_http_rotates_and_notices_reuse(desk: Desk) -> None:
    someone = desk.citizen()
    refresh = {"refresh_token": someone.refresh_token}
    grant = said(desk.ask("POST", "/sessions/refresh", refresh), 200)
    assert set(grant) == {
        *("session_id", "owner_id", "token_type", "access_token", "access_expires_at"),
        *("refresh_token", "refresh_expires_at"),
    }
    refused(desk.ask("POST", "/sessions/refresh", refresh), 401, "refresh-refused")
    after = Person(desk, someone.id, "", grant["access_token"], grant["refresh_token"])
    refused(after.ask("GET", "/profile"), 401, "token-refused")


def test_sessions_are_listed_and_ended_by_their_owner_only(desk: Desk) -> None:
    someone, thief = desk.citizen(), desk.citizen()
    phone = desk.person(someone.id)
    listed = said(someone.ask("GET", "/sessions"), 200)["sessions"]
    assert {(each["session_id"], each["current"]) for each in listed} == {
        (someone.session_id, True),
        (phone.session_id, False),
    }
    refused(thief.ask("DELETE", f"/sessions/{phone.session_id}"), 404, "session-not-found")
    said(phone.ask("GET", "/profile"), 200)
    said(someone.ask("DELETE", f"/sessions/{phone.session_id}"), 204)
    refused(phone.ask("GET", "/profile"), 401, "token-refused")
    desk.person(someone.id)
    said(someone.ask("DELETE", "/sessions"), 204)
    assert len(said(someone.ask("GET", "/sessions"), 200)["sessions"]) == 1
    said(thief.ask("GET", "/profile"), 200)


# Personal data.


def test_a_profile_is_masked_whatever_goes_in(desk: Desk) -> None:
    someone = desk.citizen()
    number = card_number(GROWN)
    given = {"name": "王小明", "id_number": number}
    answers = [
        someone.ask("PUT", "/profile/real-name", given),
        someone.ask("PUT", "/profile/phone", {"phone": "13805711234"}),
        someone.ask("GET", "/profile"),
    ]
    for answer in answers:
        said(answer, 200)
        text = answer.get_data(as_text=True)
        assert number not in text
        assert "王小明" not in text
        assert "13805711234" not in text
    shown = said(answers[-1], 200)
    assert set(shown) == PROFILE
    assert shown["id_number"] == f"{number[:6]}********{number[-4:]}"


def test_an_old_county_is_a_warning(desk: Desk) -> None:
    given = {"name": "王小明", "id_number": card_number(date(1990, 3, 7), region=330110)}
    answer = said(desk.citizen().ask("PUT", "/profile/real-name", given), 200)
    assert answer["warnings"] == ["region-unknown"]


def test_the_same_key_gives_the_same_answer_and_counts_one_card(desk: Desk) -> None:
    someone, key = desk.citizen(), {"Idempotency-Key": "the-same-key"}
    given = {"name": "王小明", "id_number": card_number(GROWN)}
    first = someone.ask("PUT", "/profile/real-name", given, **key)
    again = someone.ask("PUT", "/profile/real-name", given, **key)
    assert first.get_data() == again.get_data()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_wrong_cards_are_refused_without_being_repeated_and_not_for_ever(desk: Desk) -> None:
    someone = desk.citizen()
    wrong = card_number(GROWN)[:-1] + "*"
    given = {"name": "王小明", "id_number": wrong}
    for _ in range(REAL_NAME_PER_CITIZEN.tries):
        answer = someone.ask("PUT", "/profile/real-name", given)
        refused(answer, 400, "id-number-invalid")
        assert wrong not in answer.get_data(as_text=True)
    answer = someone.ask("PUT", "/profile/real-name", given)
    refused(answer, 429, "too-many-attempts")
    assert answer.headers["Retry-After"] == str(24 * 60 * 60)


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("PUT", "/profile/phone", {"phone": "13805711234"}),
        ("PUT", "/profile/real-name", {"name": "王", "id_number": "1"}),
        ("POST", "/family/minors", {"name": "王", "id_number": "1", "relation": "child"}),
        ("POST", "/family/consent-codes", {}),
        ("POST", "/family/guardianships", {"code": "1", "relation": "child"}),
        ("POST", "/external-identities", {"provider": "alipay", "code": "1"}),
        ("POST", "/sessions", {"provider": "alipay", "code": "1"}),
        ("POST", "/sessions/refresh", {"refresh_token": "1"}),
        ("POST", "/staff-sessions", {"username": "a", "password": "b"}),
        ("POST", "/citizen-searches", {"phone": "13805711234"}),
    ],
)
@pytest.mark.parametrize(
    "extra",
    ["citizen_id", "owner_id", "guardian_id", "roles", "role", "ends_at", "minor", "kind", "id"],
)
def test_nobody_sets_what_is_not_asked_for(
    desk: Desk, method: str, path: str, given: dict[str, Any], extra: str
) -> None:
    asked = desk.staff(StaffRole.SUPPORT) if "searches" in path else desk.citizen()
    answer = asked.ask(method, path, {**given, extra: "cit_01ARZ3NDEKTSV4RRFFQ69G5FAV"})
    refused(answer, 422, "validation-failed")


def test_who_was_shown_what_is_shown_to_the_citizen(desk: Desk) -> None:
    someone, support = named(desk.citizen()), desk.staff(StaffRole.SUPPORT)
    said(support.ask("GET", f"/citizens/{someone.id}"), 200)
    page = said(someone.ask("GET", "/personal-data-reads?limit=1"), 200)
    assert [set(each) for each in page["items"]] == [
        {"reader_kind", "reader_id", "fields", "purpose", "read_at"}
    ]
    newest = page["items"][0]
    assert (newest["reader_kind"], newest["reader_id"]) == ("staff", support.id)
    assert newest["purpose"] == "GET /v1/identity/citizens/<string:citizen_id>"
    cursor = page["next_cursor"]
    more = said(someone.ask("GET", f"/personal-data-reads?cursor={cursor}"), 200)
    assert [each["reader_id"] for each in more["items"]] == [someone.id]
    refused(
        desk.citizen().ask("GET", f"/personal-data-reads?cursor={cursor}"), 400, "cursor-invalid"
    )


# Families.


def test_a_guardian_asks_for_a_child_where_that_is_offered(desk: Desk) -> None:
    parent = named(desk.citizen())
    child = declared(parent)
    shown = said(parent.acting_for(child).ask("GET", "/profile"), 200)
    assert (shown["citizen_id"], shown["minor"]) == (child, True)
    assert said(parent.acting_for(parent.id).ask("GET", "/profile"), 200)["citizen_id"] == parent.id


@pytest.mark.parametrize("whose", ["stranger", "child of a stranger", "nobody", "two"])
def test_nobody_asks_for_whom_they_may_not(desk: Desk, whose: str) -> None:
    """Seen to fail with the header believed."""
    parent, stranger = named(desk.citizen()), named(desk.citizen(), order=103)
    child = declared(parent)
    wanted = {
        "stranger": stranger.id,
        "child of a stranger": declared(stranger, order=9),
        "nobody": new_id("cit"),
        "two": f"{child},{stranger.id}",
    }[whose]
    refused(parent.acting_for(wanted).ask("GET", "/profile"), 403, "acting-refused")


def test_acting_ends_with_the_guardianship_at_once(desk: Desk) -> None:
    parent = named(desk.citizen())
    child = declared(parent)
    one = said(parent.ask("GET", "/family"), 200)["guardianships"][0]
    said(parent.ask("DELETE", f"/family/guardianships/{one['guardianship_id']}"), 204)
    refused(parent.acting_for(child).ask("GET", "/profile"), 403, "acting-refused")


def test_every_route_that_is_about_oneself_refuses_to_act_for_another(desk: Desk) -> None:
    parent = named(desk.citizen())
    child = declared(parent)
    offered = set()
    for route in current_routes(desk.app).values():
        if not isinstance(route.access, Required) or "citizen" not in route.access.kinds:
            continue
        path = route.address.removeprefix("/v1/identity").replace("<string:", "").rstrip(">")
        answer = parent.acting_for(child).ask(route.method, path, {})
        if (answer.get_json(silent=True) or {}).get("code") != "acting-not-offered":
            offered.add(str(route))
    assert offered == {
        "GET /v1/identity/profile",
        "POST /v1/identity/family/consent-codes",
    }


def test_one_key_for_oneself_and_for_a_child_is_two_keys(desk: Desk) -> None:
    """Seen to fail with the key's scope naming the caller only."""
    parent, key = named(desk.citizen()), {"Idempotency-Key": "the-same-key"}
    child = declared(parent)
    own = said(parent.ask("POST", "/family/consent-codes", {}, **key), 201)
    other = said(parent.acting_for(child).ask("POST", "/family/consent-codes", {}, **key), 201)
    assert own["code"] != other["code"]


def test_an_elder_shows_a_code_and_sees_who_acts(desk: Desk) -> None:
    elder, grown = named(desk.citizen(), OLD), named(desk.citizen())
    code = said(elder.ask("POST", "/family/consent-codes", {"until": "2027-01-31"}), 201)["code"]
    begun = said(
        grown.ask("POST", "/family/guardianships", {"code": code, "relation": "parent"}), 201
    )
    assert (begun["side"], begun["name"], begun["citizen_id"]) == ("guardian", "**明", elder.id)
    assert begun["ends_at"] == "2027-01-31T16:00:00+00:00"
    seen = said(elder.ask("GET", "/family"), 200)["guardianships"]
    assert [(each["side"], each["guardian_id"]) for each in seen] == [("ward", grown.id)]
    stranger = desk.citizen()
    path = f"/family/guardianships/{begun['guardianship_id']}"
    refused(stranger.ask("DELETE", path), 404, "guardianship-not-found")
    said(elder.ask("DELETE", path), 204)
    assert said(grown.ask("GET", "/family"), 200) == {"guardianships": []}


# Staff.


def test_staff_sign_in_and_what_a_lock_looks_like(desk: Desk) -> None:
    desk.staff(StaffRole.SUPPORT)
    known = {"username": "staffkey-1", "password": PASSWORD}
    grant = said(desk.ask("POST", "/staff-sessions", known), 201)
    clerk = Person(desk, grant["owner_id"], "", grant["access_token"], grant["refresh_token"])
    said(clerk.ask("GET", "/sessions"), 200)
    for username in ("staffkey-1", "nobody"):
        wrong = {"username": username, "password": "wrong"}
        for _ in range(STAFF_PER_USERNAME.tries):
            refused(desk.ask("POST", "/staff-sessions", wrong), 401, "sign-in-refused")
        answer = desk.ask("POST", "/staff-sessions", {**wrong, "password": PASSWORD})
        refused(answer, 429, "too-many-attempts")
        assert answer.headers["Retry-After"] == "900"


def test_a_disabled_member_of_staff_is_out_at_once(desk: Desk, database: Database) -> None:
    support, someone = desk.staff(StaffRole.SUPPORT), desk.citizen()
    said(support.ask("GET", f"/citizens/{someone.id}"), 200)
    with database.transaction() as session:
        disable_staff(session, username="staffkey-1", now=desk.clock.now())
    refused(support.ask("GET", f"/citizens/{someone.id}"), 401, "token-refused")


@pytest.mark.parametrize("role", sorted(set(StaffRole) - {StaffRole.SUPPORT}))
def test_only_support_looks_at_citizens(desk: Desk, role: StaffRole) -> None:
    someone, clerk = desk.citizen(), desk.staff(role)
    refused(clerk.ask("GET", f"/citizens/{someone.id}"), 403, "role-missing")
    refused(clerk.ask("POST", "/citizen-searches", {"phone": "13805711234"}), 403, "role-missing")
    answer = clerk.ask("GET", f"/citizens/{someone.id}/personal-data-reads")
    assert answer.status_code == (200 if role is StaffRole.AUDITOR else 403)


def test_citizens_and_staff_do_not_pass_for_each_other(desk: Desk) -> None:
    someone, support = desk.citizen(), desk.staff(StaffRole.SUPPORT)
    refused(someone.ask("GET", f"/citizens/{someone.id}"), 403, "forbidden")
    refused(support.ask("GET", "/profile"), 403, "forbidden")
    refused(support.acting_for(someone.id).ask("GET", "/sessions"), 403, "acting-refused")


def test_support_finds_citizens_by_whole_numbers_and_sees_them_masked(desk: Desk) -> None:
    someone, support = named(desk.citizen()), desk.staff(StaffRole.SUPPORT)
    said(someone.ask("PUT", "/profile/phone", {"phone": "13805711234"}), 200)
    for search in ({"phone": "138 0571 1234"}, {"id_number": card_number(GROWN)}):
        found = said(support.ask("POST", "/citizen-searches", search), 200)["citizens"]
        assert [(set(each), each["citizen_id"]) for each in found] == [(PROFILE, someone.id)]
    other = {"id_number": card_number(GROWN, 103)}
    assert said(support.ask("POST", "/citizen-searches", other), 200) == {"citizens": []}
    for unclear in ({}, {"phone": "13805711234", "id_number": card_number(GROWN)}):
        refused(support.ask("POST", "/citizen-searches", unclear), 400, "search-unclear")
    refused(support.ask("GET", f"/citizens/{new_id('cit')}"), 404, "citizen-not-found")


# What leaks.


def test_no_log_line_holds_what_somebody_sent_or_was_given(
    desk: Desk, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    someone, number = desk.citizen(), card_number(GROWN)
    said(someone.ask("PUT", "/profile/real-name", {"name": "王小明", "id_number": number}), 200)
    said(someone.ask("PUT", "/profile/phone", {"phone": "13805711234"}), 200)
    refresh = {"refresh_token": someone.refresh_token}
    grant = said(desk.ask("POST", "/sessions/refresh", refresh), 200)
    given = {"username": "lin.clerk", "password": PASSWORD}
    refused(desk.ask("POST", "/staff-sessions", given), 401, "sign-in-refused")
    code = said(someone.ask("POST", "/family/consent-codes", {}), 201)["code"]
    captured = capfd.readouterr()
    logged = captured.out + captured.err + caplog.text
    assert "/v1/identity/profile/phone" in logged
    secrets = (number, "王小明", "13805711234", PASSWORD, code, someone.refresh_token)
    for secret in (*secrets, someone.access_token, grant["access_token"], grant["refresh_token"]):
        assert secret not in logged


@given(
    st.sampled_from(
        [
            ("PUT", "/profile/real-name", ("name", "id_number")),
            ("PUT", "/profile/phone", ("phone",)),
            ("POST", "/family/minors", ("name", "id_number", "relation")),
            ("POST", "/family/guardianships", ("code", "relation")),
            ("POST", "/family/consent-codes", ("until",)),
            ("POST", "/external-identities", ("provider", "code", "app_id")),
        ]
    ),
    st.lists(st.one_of(st.text(), st.sampled_from(["alipay", "child", "1" * 18])), min_size=3),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
def test_no_text_makes_us_fail(
    desk: Desk, route: tuple[str, str, tuple[str, ...]], texts: list[str]
) -> None:
    method, path, names = route
    given = dict(zip(names, texts, strict=False))
    answer = desk.citizen().ask(method, path, given)
    assert answer.status_code < 500, answer.get_data(as_text=True)
