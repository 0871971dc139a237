"""The process, a restore that waits or is on trial, and how old the newest good backup is."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from framerr.appliance.holding import is_held
from framerr.backups import swap
from framerr.console.checks.database import Stored
from framerr.console.checks.finding import Finding
from framerr.console.health import ask_ready
from framerr.core.config import Settings
from framerr.core.lock import holder
from framerr.core.paths import Paths

OLD = {"daily": timedelta(days=2), "weekly": timedelta(days=8), "off": timedelta(days=30)}


def process(paths: Paths, settings: Settings) -> Finding:
    if not is_held(paths.lock):
        return Finding("process", "ok", "the appliance does not run on this folder")
    known = holder(paths.lock)
    who = f"process {known.pid} on host {known.host}" if known else "a process"
    if known is not None and known.socket is None:
        return Finding("process", "ok", f"{who} holds the folder: it boots, stops, or is a command")
    unwell = ask_ready(settings)
    if unwell:
        return Finding("process", "bad", f"{who} runs but is not ready. {unwell}", "Read its log; restart it.")
    return Finding("process", "ok", f"{who} runs and is ready")


def restore(paths: Paths) -> Finding:
    match swap.state(paths):
        case "pending":
            return Finding("restore", "ok", "one is prepared", "The next start applies it: framerr serve")
        case "trial":
            return Finding("restore", "warn", "a restored state is on trial: one minute of being ready confirms it", "")
        case "return":
            return Finding("restore", "warn", "a restored state failed", "The next start brings the previous one back.")
        case None:
            return Finding("restore", "ok", "none is under way")


def backups(paths: Paths, stored: Stored, now: datetime) -> Finding:
    if not stored.users:
        return Finding("backups", "ok", "nothing to back up yet")
    if paths.backups.exists() and not os.access(paths.backups, os.W_OK | os.X_OK, effective_ids=True):
        who = f"{os.geteuid()}:{os.getegid()}"
        found = f"{paths.backups} cannot be written by user {who}"
        return Finding("backups", "bad", found, f"chown -R {who} {paths.backups}")
    if stored.newest_good is None:
        return Finding("backups", "warn", "there is no good backup", "framerr backup create")
    age = now - stored.newest_good
    found = f"{stored.good} good, the newest {_age(age)} old, schedule {stored.frequency}"
    if age > OLD[stored.frequency]:
        return Finding("backups", "warn", found, "framerr backup create; then look why the schedule made none.")
    return Finding("backups", "ok", found)


def _age(age: timedelta) -> str:
    hours = max(0, round(age.total_seconds() / 3600))
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
