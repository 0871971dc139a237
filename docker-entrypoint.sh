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

# Only what belongs to somebody else is touched, and nothing behind another mount: a NAS under /config/backups keeps its
# owners. A folder that refuses is not the end: the appliance itself says what it cannot write.
if [ "$1" = tini ]; then
    find "${FRAMERR_CONFIG_DIR:-/config}" -xdev \( ! -uid "$PUID" -o ! -gid "$PGID" \) \
        -exec chown -h "$PUID:$PGID" {} + ||
        echo "Some of ${FRAMERR_CONFIG_DIR:-/config} could not be given to $PUID:$PGID; the lines above name it." >&2
fi
# Before the init, not under it: an init that stays root may not signal a process of another user without privileges.
exec setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --no-new-privs --bounding-set -all -- "$@"
