"""The setup wizard: the setup code, then Start Fresh or Restore from Backup (R-002-27 to R-002-30); the pages of the
latter are in `setup_restore`.

Which page may be shown is decided by `setup.steps`; a page that is not the turn of yet leads to the one that is. The
account is asked for first and kept in memory only (see `web.wizard`); answering the schedule finishes everything at once.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, request, url_for

from framerr.accounts import passwords, users
from framerr.core import text, uploads
from framerr.core.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, Unavailable
from framerr.jobs import queue
from framerr.settings import schema
from framerr.setup import finish, steps
from framerr.setup.steps import Step, Track
from framerr.web import (
    access,
    auth,
    current,
    errors,
    filters,
    htmx,
    restores,
    schedule_form,
    wizard,
)
from framerr.web.forms import Form
from framerr.web.schedule_form import Wanted

blueprint = Blueprint("setup", __name__, url_prefix="/setup")
PAGES: dict[Step, str] = {
    "code": "setup.index",
    "choice": "setup.choose",
    "account": "setup.account",
    "instance": "setup.instance",
    "schedule": "setup.schedule",
    "contents": "setup.upload",
    "upload": "setup.upload",
}


@blueprint.get("/")
@access.setup_only
def index() -> Response:
    """Welcome, and the setup code; a browser that gave it goes on to where it was, unless it came back."""
    turn = wait_your_turn("code")
    is_back = bool(request.args.get("back")) and wizard.is_code_proven()
    return _code(Form()) if turn is None or is_back else turn


@blueprint.post("/")
@access.setup_only
def code_post() -> Response:
    """A try at the code: five a minute."""
    form = Form.posted()
    typed = form.text("code", need="Type the setup code.", most=40)
    response: Response | None = None
    if form.ok:
        try:
            wizard.prove_code(typed)
            return htmx.go(_next(None))
        except Forbidden as error:
            form.fail("code", error.message)
        except LimitExceeded as error:
            form.fail("code", error.message)
            response = _code(form, status=429)
            errors.tell_wait(response, error.retry_after)
    return response or _code(form)


@blueprint.get("/start")
@access.setup_only
def choose() -> Response:
    """Exactly two ways."""
    found = restores.found_here()[0]
    return wait_your_turn("choice") or page("choose", "choice", None, found=found, came_back=restores.last_return())


@blueprint.get("/account")
@access.setup_only
def account() -> Response:
    """The administrator. What was typed before is shown again, but for the password."""
    given = wizard.draft().account
    known = {"username": given.username, "display_name": given.display_name} if given else {}
    return wait_your_turn("account", "fresh") or _account(Form(initial=known))


@blueprint.post("/account")
@access.setup_only
def account_post() -> Response:
    """Check it now, so that what is wrong is said beside its field; it is made at the end."""
    turn = wait_your_turn("account", "fresh")
    if turn is not None:
        return turn
    form = Form.posted()
    given = _read_account(form, wizard.draft().account)
    if not form.ok:
        return _account(form)
    wizard.keep(account=given)
    return htmx.go(url_for("setup.instance"))


@blueprint.get("/instance")
@access.setup_only
def instance() -> Response:
    """What the instance is called, and its time zone: the one of TZ, else the browser's."""
    given = wizard.draft()
    hint = given.time_zone or current.appliance().settings.time_zone_hint
    name = given.instance_name or str(schema.INSTANCE_NAME.default)
    form = Form(initial={schema.INSTANCE_NAME.key: name, schema.TIME_ZONE.key: hint or schema.TIME_ZONE.default})
    return wait_your_turn("instance", "fresh") or _instance(form, guess=hint is None)


@blueprint.post("/instance")
@access.setup_only
def instance_post() -> Response:
    """Keep both for the end."""
    turn = wait_your_turn("instance", "fresh")
    if turn is not None:
        return turn
    form = Form.posted()
    name = zone = ""
    with form.catching():
        name = str(schema.INSTANCE_NAME.parse(form.typed.get(schema.INSTANCE_NAME.key)))
    with form.catching():
        zone = str(schema.TIME_ZONE.parse(form.typed.get(schema.TIME_ZONE.key)))
    if not form.ok:
        return _instance(form, guess=False)
    wizard.keep(instance_name=name, time_zone=zone)
    return htmx.go(url_for("setup.schedule"))


@blueprint.get("/schedule")
@access.setup_only
def schedule() -> Response:
    """Daily at 4 AM and seven kept, unless one wants it otherwise."""
    known = schedule_form.initial(finish.PRESET, int(schema.MAX_BACKUPS.default))
    return wait_your_turn("schedule", "fresh") or _schedule(Form(initial=known))


@blueprint.post("/schedule")
@access.setup_only
def schedule_post() -> Response:
    """The last answer: everything is written in one transaction, and the administrator is signed in."""
    turn = wait_your_turn("schedule", "fresh")
    if turn is not None:
        return turn
    form = Form.posted()
    wanted = schedule_form.read(form)
    return _schedule(form) if wanted is None else _finish(wanted)


@blueprint.get("/next-backup")
@access.setup_only
def next_due() -> Response:
    """The sentence about the next due time, while the schedule is being chosen."""
    wizard.require_code()
    form = Form(request.args.to_dict())
    wanted = schedule_form.read(form)
    return htmx.render("backups/_next.html", words=_next_words(wanted) if wanted else next(iter(form.errors.values())))


def _next(track: Track | None) -> str:
    facts = wizard.facts(track)
    step = steps.next_step(facts)
    if step == "restoring":
        with current.appliance().db.reading() as session:
            run = queue.open_run(session, restores.KIND)
        return url_for("setup.restoring", uid=run.uid) if run else url_for("setup.upload")
    return url_for(PAGES.get(step, "setup.choose"))


def wait_your_turn(step: Step, track: Track | None = None) -> Response | None:
    """Where to go instead when it is not this page's turn; None when it is. The code is never asked for twice."""
    facts = wizard.facts(track)
    may = steps.may_visit(step, facts) and not (step == "code" and facts.code_proven)
    return None if may else htmx.go(_next(track))


def page(template: str, step: Step, track: Track | None, *, status: int = 200, **context: Any) -> Response:
    facts = wizard.facts(track)
    trail = steps.trail(facts)
    before = trail[trail.index(step) - 1] if trail.index(step) > 0 else None
    back = "" if before is None else url_for(PAGES[before], back=1 if before == "code" else None)
    dots = steps.position(step, facts)
    return htmx.render(f"setup/{template}.html", status=status, dots=dots, back=back, **context)


def _code(form: Form, status: int = 422) -> Response:
    path = current.appliance().paths.setup_code
    is_written = current.appliance().settings.setup_code is None
    known = {"form": form, "file": path if is_written else None, "proven": wizard.is_code_proven()}
    return page("code", "code", None, status=200 if form.ok else status, **known)


def _account(form: Form) -> Response:
    has_password = wizard.draft().account is not None
    return page("account", "account", "fresh", status=_status(form), form=form, has_password=has_password)


def _read_account(form: Form, before: wizard.Account | None) -> wizard.Account:
    """What was typed; an empty password means the one that was given a page ago."""
    username = display_name = ""
    with form.catching(field="username"):
        username = users.check_username(form.text("username"))
    shown = form.text("display_name")
    with form.catching(field="display_name"):
        display_name = (
            text.one_line(shown, label="The display name", field="display_name", longest=100) if shown else ""
        )
    password = form.typed.get("password", "") or (before.password if before else "")
    if not password:
        form.fail("password", "Choose a password.")
    else:
        with form.catching(field="password"):
            passwords.check_password_rules(password, username=username)
    return wizard.Account(username, display_name, password)


def _instance(form: Form, *, guess: bool) -> Response:
    zones = [(name, name.replace("_", " ")) for name in schema.time_zones()]
    return page("instance", "instance", "fresh", status=_status(form), form=form, zones=zones, guess=guess)


def _schedule(form: Form) -> Response:
    offer = schedule_form.offer(finish.PRESET if not form.typed else None, ZoneInfo(wizard.draft().time_zone or "UTC"))
    return page("schedule", "schedule", "fresh", status=_status(form), form=form, offer=offer)


def _next_words(wanted: Wanted) -> str:
    return schedule_form.next_words(wanted.rule, ZoneInfo(wizard.draft().time_zone or "UTC"), current.now())


def _finish(wanted: Wanted) -> Response:
    given = wizard.draft()
    if given.account is None:
        return htmx.go(url_for("setup.account"))
    try:
        _start_fresh(given, given.account, wanted)
    except Conflict as error:
        flash(error.message, "warn")
        return htmx.go(url_for("auth.login"))
    except InvalidInput as error:
        flash(error.message, "lost")
        return htmx.go(url_for("setup.account"))
    wizard.forget()
    _tidy()
    auth.sign_in(given.account.username, given.account.password, persistent=False)
    words = schedule_form.first_words(wanted.rule, ZoneInfo(given.time_zone), current.now())
    flash(filters.foreign(given.instance_name) + f" is set up. {words}", "safe")
    return htmx.go(url_for("home.index"))


def _start_fresh(given: wizard.Draft, account: wizard.Account, wanted: Wanted) -> None:
    """Raises Conflict and InvalidInput as `finish.start_fresh` does."""
    parts = current.appliance()
    finish.start_fresh(
        parts.db,
        parts.paths,
        username=account.username,
        password=account.password,
        display_name=account.display_name,
        instance_name=given.instance_name,
        time_zone=given.time_zone,
        rule=wanted.rule,
        max_backups=wanted.maximum,
        now=current.now(),
        address=current.address(),
    )


def _tidy() -> None:
    """What was uploaded in the wizard is of no use any more; what cannot be removed now goes within a day."""
    paths = current.appliance().paths
    for left in uploads.listing(paths, owner=wizard.UPLOADS_OWNER, now=current.now()):
        try:
            uploads.remove(paths, left.uid)
        except Unavailable:
            return


def _status(form: Form) -> int:
    return 200 if form.ok else 422
