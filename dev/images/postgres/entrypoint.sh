#!/bin/bash
# Contract of the official image: an empty PGDATA is initialised from POSTGRES_*, then the files in
# /docker-entrypoint-initdb.d run against a server that only listens on its socket, then the command runs.
set -euo pipefail

fail() { printf 'entrypoint: %s\n' "$*" >&2; exit 1; }

# NAME or NAME_FILE, never both; the result is in NAME.
from_file() {
    local name=$1 file_name="$1_FILE" default=${2-}
    if [ -n "${!name-}" ] && [ -n "${!file_name-}" ]; then fail "$name and $file_name are both set"; fi
    if [ -n "${!file_name-}" ]; then
        [ -r "${!file_name}" ] || fail "$file_name names ${!file_name}, which cannot be read"
        printf -v "$name" '%s' "$(<"${!file_name}")"
    else
        printf -v "$name" '%s' "${!name-$default}"
    fi
    export "${name?}"
    unset "$file_name"
}

run_file() {
    local file=$1 sql=(psql --no-password --no-psqlrc -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB")
    printf 'entrypoint: running %s\n' "$file"
    case $file in
        *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
        *.sql) "${sql[@]}" -f "$file" ;;
        *.sql.gz) gzip -dc "$file" | "${sql[@]}" ;;
        *.sql.xz) xz -dc "$file" | "${sql[@]}" ;;
        *) printf 'entrypoint: ignoring %s\n' "$file" ;;
    esac
}

initialise() {
    local trust=${POSTGRES_HOST_AUTH_METHOD-}
    [ -n "$POSTGRES_PASSWORD" ] || [ "$trust" = trust ] \
        || fail 'POSTGRES_PASSWORD is empty; set it, or POSTGRES_HOST_AUTH_METHOD=trust'
    local extra=()
    [ -z "${POSTGRES_INITDB_WALDIR-}" ] || extra+=(--waldir="$POSTGRES_INITDB_WALDIR")
    local args=()
    # Split into words as the official image does.
    read -r -a args <<<"${POSTGRES_INITDB_ARGS-}"
    if [ -n "$POSTGRES_PASSWORD" ]; then
        initdb -U "$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${extra[@]}" "${args[@]}"
    else
        initdb -U "$POSTGRES_USER" "${extra[@]}" "${args[@]}"
    fi
    printf '\nhost all all all %s\n' "${trust:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

    # Socket only: nothing may connect over TCP before the data is complete.
    shift # the command's first word; its options apply to this server too
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start \
        -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")"
    export PGPASSWORD=${PGPASSWORD-$POSTGRES_PASSWORD}
    if [ "$POSTGRES_DB" != postgres ]; then
        psql --no-password --no-psqlrc -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -v name="$POSTGRES_DB" \
            <<<'CREATE DATABASE :"name";'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        [ -e "$file" ] || continue
        run_file "$file"
    done
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'entrypoint: initialised'
}

case ${1-} in -*) set -- postgres "$@" ;; esac
if [ "${1-}" != postgres ]; then exec "$@"; fi
for argument; do
    case $argument in -'?' | --help | --describe-config | -V | --version) exec "$@" ;; esac
done

if [ "$(id -u)" = 0 ]; then
    install -d -m 0700 "$PGDATA"
    find "$PGDATA" ! -user postgres -exec chown postgres {} +
    chmod 0700 "$PGDATA"
    [ -z "${POSTGRES_INITDB_WALDIR-}" ] || install -d -o postgres -m 0700 "$POSTGRES_INITDB_WALDIR"
    exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    initialise "$@"
fi
exec "$@"
