#!/bin/bash
# Contract of the official image: options alone mean redis-server; not root; protected mode off by default.
set -euo pipefail

case ${1-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "${1-}" = redis-server ]; then
    case ${2-} in -v | --version | -h | --help) exec "$@" ;; esac
    decided=no
    for argument; do
        [ "$argument" != --protected-mode ] || decided=yes
    done
    case ${2-} in
        *.conf) if grep -qi '^[[:space:]]*protected-mode' "$2"; then decided=yes; fi ;;
    esac
    [ "$decided" = yes ] || set -- "$@" --protected-mode no
    if [ "$(id -u)" = 0 ]; then
        find . ! -user redis -exec chown redis {} +
        exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
    fi
fi
exec "$@"
