#!/bin/sh
# As the entrypoint: gives /config to PUID:PGID, drops root for good and starts the command under an init. Started with
# --user it only starts the command. Root's part needs CHOWN, DAC_READ_SEARCH, SETUID, SETGID and SETPCAP, no more.
# As /usr/local/bin/framerr: `docker exec NAME framerr ...` and the health check arrive as root, and must not leave files
# of root's in /config; they take the same user first.
set -eu
umask 077
case "$0" in
    */framerr) set -- /opt/venv/bin/framerr "$@" ;;
    *) set -- tini -- "$@" ;;
esac
if [ "$(id -u)" != 0 ]; then
    exec "$@"
fi

PUID="${PUID:-1000}"
PGID="${PGID:-1000}"
case "$PUID:$PGID" in
    *[!0-9:]*)
        echo "PUID and PGID must be numbers, and are $PUID and $PGID. Find yours with: id -u; id -g" >&2
        exit 2
        ;;
esac

# Only what belongs to somebody else is touched, nothing behind another mount (a NAS under /config/backups keeps its
# owners), and nothing while a process holds the folder. A refusal is not the end: the appliance says what it lacks.
config="${FRAMERR_CONFIG_DIR:-/config}"
give() {
    "$@" find "$config" -xdev \( ! -uid "$PUID" -o ! -gid "$PGID" \) -exec chown -h "$PUID:$PGID" {} +
}
if [ "$1" = tini ]; then
    if [ -f "$config/.framerr.lock" ]; then give flock -n -s -E 75 "$config/.framerr.lock"; else give; fi || case $? in
        75) echo "$config is in use, so its files keep their owner. Use that container: docker exec NAME framerr" >&2 ;;
        *) echo "Some of $config could not be given to $PUID:$PGID; the lines above name it." >&2 ;;
    esac
fi
# Before the init, not under it: an init that stays root may not signal a process of another user without privileges.
exec setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --no-new-privs --bounding-set -all -- "$@"
