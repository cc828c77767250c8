#!/bin/bash
# Contract of the official image: an empty data folder is initialised from MARIADB_* (or MYSQL_*), then the files in
# /docker-entrypoint-initdb.d run against a server that only listens on its socket, then the command runs.
set -euo pipefail

fail() { printf 'entrypoint: %s\n' "$*" >&2; exit 1; }

# The value of MARIADB_$1 or MYSQL_$1, or what the file holds that the same name with _FILE says.
setting() {
    local name
    for name in "MARIADB_$1" "MYSQL_$1"; do
        local file_name="${name}_FILE"
        if [ -n "${!name-}" ]; then printf '%s' "${!name}"; return; fi
        if [ -n "${!file_name-}" ]; then cat "${!file_name}"; return; fi
    done
}

# What the server takes for a setting, its files and the command line put together: $settings tells all of them.
effective() { awk -v name="$1" '$1 == name && /^[^ \t]/ { print $2; exit }' <<<"$settings"; }

quoted() { printf "'%s'" "$(sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g" <<<"$1")"; }

# A user that its health check asks as, with a password that stands in the data's folder alone.
healthcheck_user() {
    local password host
    password=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
    for host in 127.0.0.1 ::1 localhost; do
        printf "CREATE USER healthcheck@'%s' IDENTIFIED BY '%s';\n" "$host" "$password"
        [ -z "${MARIADB_HEALTHCHECK_GRANTS-}" ] \
            || printf "GRANT %s ON *.* TO healthcheck@'%s';\n" "$MARIADB_HEALTHCHECK_GRANTS" "$host"
    done
    (
        umask 0077
        printf '[mariadb-client]\nport=%s\nsocket=%s\nuser=healthcheck\npassword=%s\nprotocol=tcp\n' \
            "$PORT" "$SOCKET" "$password" >"$DATADIR/.my-healthcheck.cnf"
    )
}

initialise() {
    local root database user password file
    root=$(setting ROOT_PASSWORD) database=$(setting DATABASE) user=$(setting USER) password=$(setting PASSWORD)
    [ -n "$root" ] || [ -n "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD-}${MYSQL_ALLOW_EMPTY_PASSWORD-}" ] \
        || fail 'MARIADB_ROOT_PASSWORD is empty; set it, or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1'
    mariadb-install-db --datadir="$DATADIR" --auth-root-authentication-method=normal --skip-test-db "${@:2}" >/dev/null
    "$@" --skip-networking --socket="$SOCKET" &
    local server=$! client=(mariadb --protocol=socket --socket="$SOCKET" -uroot)
    until "${client[@]}" -e 'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server" || fail 'the server ended while it initialised'
        sleep 0.1
    done
    {
        printf "ALTER USER root@localhost IDENTIFIED BY %s;\n" "$(quoted "$root")"
        printf "CREATE USER root@'%%' IDENTIFIED BY %s;\n" "$(quoted "$root")"
        printf "GRANT ALL ON *.* TO root@'%%' WITH GRANT OPTION;\n"
        healthcheck_user
        [ -z "$database" ] || printf 'CREATE DATABASE `%s`;\n' "$database"
        if [ -n "$user" ]; then
            printf "CREATE USER %s@'%%' IDENTIFIED BY %s;\n" "$(quoted "$user")" "$(quoted "$password")"
            [ -z "$database" ] || printf "GRANT ALL ON \`%s\`.* TO %s@'%%';\n" "$database" "$(quoted "$user")"
        fi
    } | "${client[@]}"
    export MYSQL_PWD=$root
    [ -z "$database" ] || client+=("$database")
    for file in /docker-entrypoint-initdb.d/*; do
        [ -e "$file" ] || continue
        printf 'entrypoint: running %s\n' "$file"
        case $file in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) "${client[@]}" <"$file" ;;
            *.sql.gz) gzip -dc "$file" | "${client[@]}" ;;
            *.sql.xz) xz -dc "$file" | "${client[@]}" ;;
            *) printf 'entrypoint: ignoring %s\n' "$file" ;;
        esac
    done
    unset MYSQL_PWD
    kill "$server"
    wait "$server"
    echo 'entrypoint: initialised'
}

case ${1-} in -*) set -- mariadbd "$@" ;; esac
case ${1-} in mariadbd | mysqld) ;; *) exec "$@" ;; esac
for argument; do
    case $argument in -'?' | --help | -V | --version) exec "$@" ;; esac
done

settings=$("$@" --verbose --help 2>/dev/null)
DATADIR=$(effective datadir) SOCKET=$(effective socket) PORT=$(effective port)
if [ "$(id -u)" = 0 ]; then
    install -d "$DATADIR"
    find "$DATADIR" ! -user mysql -exec chown mysql: {} +
    exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi
if [ ! -d "$DATADIR/mysql" ]; then initialise "$@"; fi
exec "$@"
